"""Python's Authlib uses the server at ISSUER as it would use any other, in the parts that are named.

Prints one line of JSON with what it saw, part by part; anything that is not as it should be ends the
process with an error.
"""

import json
import os
import sys
import time
from dataclasses import replace

# The server under test listens on loopback without TLS. Authlib reads this when it is imported.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from joserfc import jws, jwt
from joserfc.errors import InvalidClaimError
from joserfc.jwk import KeySet

from owner import KEYS, TIMEOUT, first_owner

ISSUER = os.environ["ISSUER"]
SCOPE = "agents:read tokens:introspect tokens:revoke"
ALGORITHMS = ["ES256", "EdDSA", "RS256", "PS256"]


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


class Assertion(PrivateKeyJWT):
    """The library's, for the audience and the lifetime that this server asks for.

    On its own it names the endpoint as the audience, for an hour. What claims it is given it keeps,
    and a `jti` with them, so each assertion is given claims of its own.
    """

    def sign(self, auth, token_endpoint):
        self.claims = {"exp": int(time.time()) + 60}
        return super().sign(auth, ISSUER)


def session(agent):
    client = OAuth2Session(
        client_id=agent.client_id,
        client_secret=agent.secret or agent.key,
        token_endpoint_auth_method=agent.method,
        revocation_endpoint_auth_method=agent.method,
        scope=SCOPE,
        default_timeout=TIMEOUT,
    )
    if agent.key is not None:
        headers = {"kid": agent.kid}
        client.register_client_auth_method(Assertion(headers=headers, alg=agent.algorithm))
    return client


class ResourceServer(JWTBearerTokenValidator):
    """What a resource server that uses Authlib does with a token (RFC 9068 section 4)."""

    def __init__(self, keys):
        super().__init__(issuer=ISSUER, resource_server=ISSUER)
        self.keys = keys

    def get_jwks(self):
        return self.keys


def verified(token, agent, metadata):
    """Checks the token by the keys that the server publishes."""
    keys = KeySet.import_key_set(fetched(metadata["jwks_uri"]))
    # It knows these two alone; what it is built of knows them all.
    if jws.extract_compact(token.encode()).headers()["alg"] in ("ES256", "RS256"):
        server = ResourceServer(keys)
        server.validate_token(server.authenticate_token(token), [SCOPE], None)

    decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
    check(decoded.header["typ"] == "at+jwt", f"the type is {decoded.header.get('typ')}")
    required = {name: {"essential": True} for name in ("exp", "nbf", "iat", "jti")}
    jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": ISSUER},
        sub={"essential": True, "value": agent.client_id},
        client_id={"essential": True, "value": agent.client_id},
        # The issuer signs for all of its organizations with the same keys.
        organization_id={"essential": True, "value": agent.organization},
        **required,
    ).validate(decoded.claims)
    return decoded


def refused_by_others(token, agent, metadata):
    """Whether a resource server of another organization, for the same URI, refuses the token."""
    try:
        verified(token, replace(agent, organization="another"), metadata)
    except InvalidClaimError as error:
        return error.claim == "organization_id"
    return False


def wrong(agent):
    """The same client with another credential of the same form."""
    if agent.key is not None:
        return replace(agent, key=KEYS[agent.algorithm]())
    last = "B" if agent.secret.endswith("A") else "A"
    return replace(agent, secret=agent.secret[:-1] + last)


def refusal(agent, metadata):
    """The error of a client that must be refused."""
    try:
        session(agent).fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
    except OAuthError as error:
        return error.error
    raise SystemExit("a wrong credential was accepted")


def introspected(client, token, metadata):
    answer = client.introspect_token(metadata["introspection_endpoint"], token=token)
    check(answer.status_code == 200, f"introspection answered {answer.status_code}")
    return answer.json()


def use(agent):
    """The life of one token, from discovery to revocation."""
    metadata = discovered()
    for endpoint in ("token", "introspection", "revocation"):
        offered = metadata[f"{endpoint}_endpoint_auth_methods_supported"]
        check(agent.method in offered, f"{agent.method} is offered at {endpoint}")
    client = session(agent)
    answer = client.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
    check(answer["token_type"].lower() == "bearer", f"the token type is {answer['token_type']}")
    check(sorted(answer["scope"].split()) == sorted(SCOPE.split()), f"the scope is {answer['scope']}")
    token = answer["access_token"]
    decoded = verified(token, agent, metadata)
    check(refused_by_others(token, agent, metadata), "only its own organization accepts it")
    lifetime = decoded.claims["exp"] - decoded.claims["iat"]
    check(lifetime == answer["expires_in"], f"it lives {lifetime} s, not {answer['expires_in']} s")

    before = introspected(client, token, metadata)
    check(before["active"] is True, f"before revocation: {before}")
    for claim in ("iss", "sub", "client_id", "exp", "iat", "jti"):
        check(before[claim] == decoded.claims[claim], f"introspected {claim}")
    # The second time the token is dead already, which is no error (RFC 7009 section 2.2).
    for _ in range(2):
        revoked = client.revoke_token(metadata["revocation_endpoint"], token=token)
        check(revoked.status_code == 200, f"revocation answered {revoked.status_code}")
    after = introspected(client, token, metadata)
    check(after == {"active": False}, f"after revocation: {after}")

    return {
        "library": "Authlib",
        "method": agent.method,
        "signedWith": decoded.header["alg"],
        "type": decoded.header["typ"],
        "activeBefore": before["active"],
        "activeAfter": after["active"],
        "wrongCredential": refusal(wrong(agent), metadata),
    }


def by_secret(owner):
    methods = ("client_secret_basic", "client_secret_post")
    return [use(owner.with_secret(method)) for method in methods]


def by_key(owner):
    return [
        {**use(owner.with_key(algorithm)), "algorithm": algorithm} for algorithm in ALGORITHMS
    ]


PARTS = {"secrets": by_secret, "keys": by_key}

if __name__ == "__main__":
    first = first_owner(ISSUER)
    print(json.dumps({part: PARTS[part](first) for part in sys.argv[1:]}))
