// What a program does that uses oauth4webapi: its documented calls, and nothing of ours.

import * as oauth from 'oauth4webapi';

export const name = 'oauth4webapi';

const METHODS = {
  client_secret_basic: oauth.ClientSecretBasic,
  client_secret_post: oauth.ClientSecretPost,
};

// The server under test listens on loopback without TLS.
const options = { [oauth.allowInsecureRequests]: true };

export async function connect({ issuer, clientId, clientSecret, method }) {
  const url = new URL(issuer);
  const discovered = await oauth.discoveryRequest(url, { algorithm: 'oauth2', ...options });
  const server = await oauth.processDiscoveryResponse(url, discovered);
  const client = { client_id: clientId };
  const authentication = METHODS[method](clientSecret);
  return {
    metadata: server,
    token: async (scope) => {
      const parameters = new URLSearchParams({ scope });
      const response =
        await oauth.clientCredentialsGrantRequest(server, client, authentication, parameters, options);
      return oauth.processClientCredentialsResponse(server, client, response);
    },
    introspect: async (token) => {
      const response = await oauth.introspectionRequest(server, client, authentication, token, options);
      return oauth.processIntrospectionResponse(server, client, response);
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
  };
}
