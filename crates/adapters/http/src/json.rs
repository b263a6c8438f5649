//! Answers in JSON.

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{problem::Problem, render::MOST_HEADERS};

/// What most answers fit into. A buffer that grows moves all that was written each time.
const MOST_ANSWERS: usize = 1_024;

/// An answer in JSON.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let mut body = Vec::with_capacity(MOST_ANSWERS);
        match serde_json::to_writer(&mut body, &self.0) {
            Ok(()) => {
                let json = HeaderValue::from_static("application/json");
                let mut response = Response::new(Body::from(body));
                response.headers_mut().reserve(MOST_HEADERS);
                response.headers_mut().insert(header::CONTENT_TYPE, json);
                response
            }
            Err(error) => Problem::internal(error).into_response(),
        }
    }
}
