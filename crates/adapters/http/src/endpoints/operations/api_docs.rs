//! `GET /api-docs` and its files: the OpenAPI document and a viewer that fetches nothing from
//! elsewhere.

use axum::http::{HeaderName, HeaderValue, Method, header};

use crate::route::{Access, Dialect, Endpoint, Route};

const PAGE: &str = include_str!("../../../assets/api-docs/index.html");
const SCRIPT: &str = include_str!("../../../assets/api-docs/viewer.js");
const STYLE: &str = include_str!("../../../assets/api-docs/viewer.css");
const DOCUMENT: &str = include_str!("../../../assets/openapi.json");

/// The viewer may load its own files and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

const fn route(path: &'static str, operation: &'static str) -> Route {
    Route {
        method: Method::GET,
        path,
        operation,
        access: Access::Public,
        dialect: Dialect::Problem,
        events: &[],
    }
}

/// The page.
pub(crate) struct GetApiDocs;

impl Endpoint for GetApiDocs {
    const ROUTE: Route = route("/api-docs", "getApiDocs");
}

/// The document.
pub(crate) struct GetOpenApi;

impl Endpoint for GetOpenApi {
    const ROUTE: Route = route("/api-docs/openapi.json", "getOpenApi");
}

/// The viewer's script.
pub(crate) struct GetApiDocsScript;

impl Endpoint for GetApiDocsScript {
    const ROUTE: Route = route("/api-docs/viewer.js", "getApiDocsScript");
}

/// The viewer's style.
pub(crate) struct GetApiDocsStyle;

impl Endpoint for GetApiDocsStyle {
    const ROUTE: Route = route("/api-docs/viewer.css", "getApiDocsStyle");
}

type File = ([(HeaderName, HeaderValue); 2], &'static str);

const fn file(media_type: &'static str, content: &'static str) -> File {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    ];
    (headers, content)
}

pub(crate) async fn page() -> File {
    file("text/html; charset=utf-8", PAGE)
}

pub(crate) async fn document() -> File {
    file("application/json", DOCUMENT)
}

pub(crate) async fn script() -> File {
    file("text/javascript; charset=utf-8", SCRIPT)
}

pub(crate) async fn style() -> File {
    file("text/css; charset=utf-8", STYLE)
}
