"""Python's Authlib uses the server at ISSUER as it would use any other.

Prints one line of JSON with what it saw; anything that is not as it should be ends the process with
an error.
"""

import json
import os

# The server under test listens on loopback without TLS. Authlib reads this when it is imported.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from joserfc import jwt
from joserfc.jwk import KeySet

ISSUER = os.environ["ISSUER"]
CLIENT_ID = os.environ["CLIENT_ID"]
CLIENT_SECRET = os.environ["CLIENT_SECRET"]
SCOPE = os.environ["SCOPE"]
TIMEOUT = 30


def check(holds, what):
    """Unlike `assert`, no switch of the interpreter turns this off."""
    if not holds:
        raise SystemExit(f"not as it should be: {what}")


def fetched(url):
    answer = requests.get(url, timeout=TIMEOUT)
    check(answer.status_code == 200, f"{url} answered {answer.status_code}")
    return answer.json()


def discovered():
    metadata = AuthorizationServerMetadata(fetched(get_well_known_url(ISSUER, external=True)))
    metadata.validate()
    check(metadata["issuer"] == ISSUER, f"the issuer is {metadata['issuer']}")
    return metadata


def session(method, secret=CLIENT_SECRET):
    return OAuth2Session(
        client_id=CLIENT_ID,
        client_secret=secret,
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        scope=SCOPE,
        default_timeout=TIMEOUT,
    )


class ResourceServer(JWTBearerTokenValidator):
    """What a resource server that uses Authlib does with a token (RFC 9068 section 4)."""

    def __init__(self, keys):
        super().__init__(issuer=ISSUER, resource_server=ISSUER)
        self.keys = keys

    def get_jwks(self):
        return self.keys


def verified(token, metadata):
    """Checks the token by the keys that the server publishes."""
    keys = fetched(metadata["jwks_uri"])
    server = ResourceServer(keys)
    server.validate_token(server.authenticate_token(token), [SCOPE], None)

    decoded = jwt.decode(token, KeySet.import_key_set(keys), algorithms=["ES256"])
    check(decoded.header["typ"] == "at+jwt", f"the type is {decoded.header.get('typ')}")
    required = {name: {"essential": True} for name in ("exp", "nbf", "iat", "jti")}
    jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": ISSUER},
        sub={"essential": True, "value": CLIENT_ID},
        client_id={"essential": True, "value": CLIENT_ID},
        **required,
    ).validate(decoded.claims)
    return decoded


def refusal(method, metadata):
    """The error of a client that has another secret of the same form."""
    last = "B" if CLIENT_SECRET.endswith("A") else "A"
    wrong = session(method, CLIENT_SECRET[:-1] + last)
    try:
        wrong.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
    except OAuthError as error:
        return error.error
    raise SystemExit("a wrong secret was accepted")


def use(method):
    """The life of one token, from discovery to revocation."""
    metadata = discovered()
    check(method in metadata["token_endpoint_auth_methods_supported"], f"{method} is offered")
    client = session(method)
    answer = client.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
    check(answer["token_type"].lower() == "bearer", f"the token type is {answer['token_type']}")
    check(sorted(answer["scope"].split()) == sorted(SCOPE.split()), f"the scope is {answer['scope']}")
    token = answer["access_token"]
    decoded = verified(token, metadata)
    lifetime = decoded.claims["exp"] - decoded.claims["iat"]
    check(lifetime == answer["expires_in"], f"it lives {lifetime} s, not {answer['expires_in']} s")

    def introspected():
        answer = client.introspect_token(metadata["introspection_endpoint"], token=token)
        check(answer.status_code == 200, f"introspection answered {answer.status_code}")
        return answer.json()

    before = introspected()
    check(before["active"] is True, f"before revocation: {before}")
    for claim in ("iss", "sub", "client_id", "exp", "iat", "jti"):
        check(before[claim] == decoded.claims[claim], f"introspected {claim}")
    # The second time the token is dead already, which is no error (RFC 7009 section 2.2).
    for _ in range(2):
        revoked = client.revoke_token(metadata["revocation_endpoint"], token=token)
        check(revoked.status_code == 200, f"revocation answered {revoked.status_code}")
    after = introspected()
    check(after == {"active": False}, f"after revocation: {after}")

    wrong_secret = refusal(method, metadata)
    check(wrong_secret == "invalid_client", f"a wrong secret is {wrong_secret}")
    return {
        "library": "Authlib",
        "method": method,
        "type": decoded.header["typ"],
        "activeBefore": before["active"],
        "activeAfter": after["active"],
        "wrongSecret": wrong_secret,
    }


if __name__ == "__main__":
    seen = [use(method) for method in ("client_secret_basic", "client_secret_post")]
    print(json.dumps({"seen": seen}))
