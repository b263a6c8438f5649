// What a program does that uses oauth4webapi: its documented calls, and nothing of ours.

import assert from 'node:assert/strict';

import * as oauth from 'oauth4webapi';

export const name = 'oauth4webapi';

const METHODS = {
  client_secret_basic: ({ clientSecret }) => oauth.ClientSecretBasic(clientSecret),
  client_secret_post: ({ clientSecret }) => oauth.ClientSecretPost(clientSecret),
  private_key_jwt: ({ privateKey, kid }) => oauth.PrivateKeyJwt({ key: privateKey, kid }),
};

// The server under test listens on loopback without TLS.
const options = { [oauth.allowInsecureRequests]: true };

export async function connect(settings) {
  const { issuer, clientId, method } = settings;
  const url = new URL(issuer);
  const discovered = await oauth.discoveryRequest(url, { algorithm: 'oauth2', ...options });
  const server = await oauth.processDiscoveryResponse(url, discovered);
  const client = { client_id: clientId };
  const authentication = METHODS[method](settings);

  async function token(scope, { proof, resource } = {}) {
    const parameters = new URLSearchParams({ scope, ...(resource && { resource }) });
    const answered = async () => {
      const response = await oauth.clientCredentialsGrantRequest(
        server, client, authentication, parameters, { ...options, DPoP: proof });
      return oauth.processClientCredentialsResponse(server, client, response);
    };
    return onceMoreWithNonce(answered);
  }

  return {
    metadata: server,
    token,
    introspect: async (token) => {
      const response = await oauth.introspectionRequest(server, client, authentication, token, options);
      return oauth.processIntrospectionResponse(server, client, response);
    },
    /** As a JWT that the server signed, by its published keys (RFC 9701). */
    introspectSigned: async (token, algorithm) => {
      const asking = { ...client, introspection_signed_response_alg: algorithm };
      const response = await oauth.introspectionRequest(
        server, asking, authentication, token, { ...options, requestJwtResponse: true });
      const told = await oauth.processIntrospectionResponse(server, asking, response);
      assert.equal(response.headers.get('content-type'), 'application/token-introspection+jwt');
      await oauth.validateApplicationLevelSignature(server, response, options);
      return told;
    },
    revoke: async (token) => {
      const response = await oauth.revocationRequest(server, client, authentication, token, options);
      return oauth.processRevocationResponse(response);
    },
    // What a resource server that uses this library does with a token (RFC 9068 section 4).
    accept: (token) => {
      const request = new Request(issuer, { headers: { authorization: `Bearer ${token}` } });
      return oauth.validateJwtAccessToken(server, request, issuer, options);
    },
    /** What makes proofs of that key, and keeps the nonces that the server gives. */
    prover: (keys) => oauth.DPoP(client, keys),
    /** The status of a call with a token, and with a proof if there is a prover. */
    call: async (token, url, proof) => {
      const response = await onceMoreWithNonce(() =>
        oauth.protectedResourceRequest(
          token, 'GET', new URL(url), undefined, undefined, { ...options, DPoP: proof }));
      return response.status;
    },
  };
}

/** The library keeps the nonce of a refusal that asks for one; the program asks again. */
async function onceMoreWithNonce(ask) {
  try {
    return await ask();
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) {
      throw error;
    }
    return ask();
  }
}
