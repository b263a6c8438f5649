// What a program does that uses openid-client: its documented calls, and nothing of ours.

import * as client from 'openid-client';

export const name = 'openid-client';

const METHODS = {
  client_secret_basic: client.ClientSecretBasic,
  client_secret_post: client.ClientSecretPost,
};

export async function connect({ issuer, clientId, clientSecret, method }) {
  const configuration = await client.discovery(
    new URL(issuer),
    clientId,
    undefined,
    METHODS[method](clientSecret),
    // The server under test listens on loopback without TLS.
    { algorithm: 'oauth2', execute: [client.allowInsecureRequests] },
  );
  return {
    metadata: configuration.serverMetadata(),
    token: (scope) => client.clientCredentialsGrant(configuration, { scope }),
    introspect: (token) => client.tokenIntrospection(configuration, token),
    revoke: (token) => client.tokenRevocation(configuration, token),
  };
}
