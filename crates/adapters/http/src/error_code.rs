//! The codes of the management API: their names, statuses, and what each of them means.

use axum::http::StatusCode;

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident = $name:literal, $status:ident, $title:literal, $description:literal;)+) => {
        /// Why a request of the management API was refused. Clients go by it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code {
            $(#[doc = $description] $code,)+
        }

        impl Code {
            /// All of them, in the order of their statuses.
            pub(crate) const ALL: &[Self] = &[$(Self::$code),+];

            /// The code on the wire.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$code => $name,)+ }
            }

            /// The status that goes with it.
            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$code => StatusCode::$status,)+ }
            }

            /// The same few words each time (RFC 9457 section 3.1.3).
            pub(crate) const fn title(self) -> &'static str {
                match self { $(Self::$code => $title,)+ }
            }

            /// When it comes, and what can be done about it.
            pub(crate) const fn description(self) -> &'static str {
                match self { $(Self::$code => $description,)+ }
            }
        }
    };
}

codes! {
    ValidationError = "VALIDATION_ERROR", BAD_REQUEST, "The request is not valid",
        "The body, the path or the query is not of the form asked for, or a field is unknown, doubled or missing. `details.fields` maps each bad field to its reason; the key `body` is the body as a whole.";
    ImmutableField = "IMMUTABLE_FIELD", BAD_REQUEST, "A field cannot be changed",
        "`agentId`, `email`, `organizationId` and `createdAt` of an agent never change. `details.fields` names those that were sent.";
    Unauthorized = "UNAUTHORIZED", UNAUTHORIZED, "Authentication is required",
        "There is no access token, or it does not verify, is expired or revoked, or its agent or organization is not active, or its credential was revoked.";
    AuthorizationError = "AUTHORIZATION_ERROR", FORBIDDEN, "Access is not allowed",
        "The target does not exist, is not in the caller's organization, or needs a role that the caller lacks.";
    InsufficientScope = "INSUFFICIENT_SCOPE", FORBIDDEN, "The token lacks a scope",
        "`details.required` names the scope. Ask for it at the token endpoint; the agent needs a role that may have it.";
    AgentDecommissioned = "AGENT_DECOMMISSIONED", FORBIDDEN, "The agent is decommissioned",
        "A decommissioned agent cannot be changed, and gets no credential.";
    FreeTierLimitExceeded = "FREE_TIER_LIMIT_EXCEEDED", FORBIDDEN, "A quota is used up",
        "`details` has the `limit`, how much of it is `used`, and the `plan`.";
    NotFound = "NOT_FOUND", NOT_FOUND, "Not found",
        "There is no such route, no such part of an agent that the caller may see, or nothing of the kind in the audit log yet.";
    MethodNotAllowed = "METHOD_NOT_ALLOWED", METHOD_NOT_ALLOWED, "The method is not allowed",
        "The `Allow` header lists the methods of the route.";
    RequestTimeout = "REQUEST_TIMEOUT", REQUEST_TIMEOUT, "The body took too long",
        "The body did not arrive within 30 seconds. Nothing was done.";
    AgentAlreadyExists = "AGENT_ALREADY_EXISTS", CONFLICT, "The email is taken",
        "An agent of the organization that is not decommissioned has this email already.";
    AgentAlreadyDecommissioned = "AGENT_ALREADY_DECOMMISSIONED", CONFLICT, "The agent is decommissioned already",
        "Decommissioning is for good and happens once.";
    InvalidStateTransition = "INVALID_STATE_TRANSITION", CONFLICT, "The change of state is not allowed",
        "`details.from` and `details.to` name the two states. The last active admin of an organization cannot leave that state.";
    IdempotencyConflict = "IDEMPOTENCY_CONFLICT", CONFLICT, "The idempotency key was used for another request",
        "The same `Idempotency-Key` came with another body. `details.existingId` is what the first request made.";
    PreconditionFailed = "PRECONDITION_FAILED", PRECONDITION_FAILED, "The precondition does not hold",
        "The agent has changed since the entity tag in `If-Match` was read. Read it again.";
    PayloadTooLarge = "PAYLOAD_TOO_LARGE", PAYLOAD_TOO_LARGE, "The body is too large",
        "A body may have 64 KiB, and 16 KiB at the OAuth endpoints.";
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE", UNSUPPORTED_MEDIA_TYPE, "The media type is not supported",
        "The management API takes `application/json`, the OAuth endpoints `application/x-www-form-urlencoded`; both in UTF-8.";
    RateLimitExceeded = "RATE_LIMIT_EXCEEDED", TOO_MANY_REQUESTS, "Too many requests",
        "`Retry-After` says in how many seconds to try again.";
    InternalError = "INTERNAL_ERROR", INTERNAL_SERVER_ERROR, "Internal error",
        "A fault of the server. It is logged with the request id.";
    ServiceUnavailable = "SERVICE_UNAVAILABLE", SERVICE_UNAVAILABLE, "Temporarily unavailable",
        "A store that the request needs is out of reach, or the server has as much of this under way as it may. Nothing was half done; `Retry-After` says when to try again.";
}

impl Code {
    /// The last segment of the problem's `type`: the code in kebab-case.
    pub(crate) fn slug(self) -> String {
        self.name().to_ascii_lowercase().replace('_', "-")
    }

    /// The code whose slug this is.
    pub(crate) fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.slug() == slug)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_slug_that_leads_back_to_it() {
        assert_eq!(Code::ValidationError.slug(), "validation-error");
        for code in Code::ALL {
            assert_eq!(Code::from_slug(&code.slug()), Some(*code));
            assert!(code.status().is_client_error() || code.status().is_server_error());
        }
        assert_eq!(Code::from_slug("VALIDATION_ERROR"), None);
    }
}
