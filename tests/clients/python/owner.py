"""What the owner of some agents does before their programs run, through the management API.

It registers the agents, and gives each its secret or its public key.
"""

import os
from dataclasses import dataclass
from itertools import count

import requests
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

TIMEOUT = 30

KEYS = {
    "ES256": lambda: ECKey.generate_key("P-256"),
    "EdDSA": lambda: OKPKey.generate_key("Ed25519"),
    "RS256": lambda: RSAKey.generate_key(2048),
    "PS256": lambda: RSAKey.generate_key(2048),
}


@dataclass
class Agent:
    """What its program needs to know."""

    client_id: str
    organization: str
    method: str
    secret: str | None = None
    algorithm: str | None = None
    key: Key | None = None
    kid: str | None = None


class Owner:
    """An admin of the organization."""

    def __init__(self, issuer, client_id, client_secret):
        self.agents = f"{issuer}/api/v1/agents"
        self.numbers = count(1)
        form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": client_secret,
            "scope": "agents:write credentials:write",
        }
        answer = requests.post(f"{issuer}/api/v1/token", data=form, timeout=TIMEOUT)
        answer.raise_for_status()
        self.headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        own = requests.get(f"{issuer}/api/v1/organization", headers=self.headers, timeout=TIMEOUT)
        own.raise_for_status()
        self.organization = own.json()["organizationId"]

    def made(self, path, body):
        answer = requests.post(
            self.agents + path, json=body, headers=self.headers, timeout=TIMEOUT
        )
        if answer.status_code != 201:
            raise SystemExit(f"{path} answered {answer.status_code}: {answer.text}")
        return answer.json()

    def agent(self):
        fields = {
            "email": f"python-{next(self.numbers)}@agents.example.com",
            "agentType": "custom",
            "version": "1.0.0",
            "capabilities": ["tool:call"],
            "owner": "client-tests",
            "deploymentEnv": "development",
            "roles": ["operator"],
        }
        return self.made("", fields)["agentId"]

    def with_secret(self, method):
        """An agent with a secret of its own."""
        client_id = self.agent()
        secret = self.made(f"/{client_id}/credentials", {})["clientSecret"]
        return Agent(client_id, self.organization, method, secret=secret)

    def with_key(self, algorithm):
        """An agent with a key pair, of which the server is told the public half."""
        client_id = self.agent()
        key = KEYS[algorithm]()
        jwk = {**key.as_dict(private=False), "alg": algorithm}
        kid = self.made(f"/{client_id}/keys", {"jwk": jwk})["kid"]
        known = {"algorithm": algorithm, "key": key, "kid": kid}
        return Agent(client_id, self.organization, "private_key_jwt", **known)


def first_owner(issuer):
    """The one whose credentials the environment has."""
    return Owner(issuer, os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
