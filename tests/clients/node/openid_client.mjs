// What a program does that uses openid-client: its documented calls, and nothing of ours.

import * as client from 'openid-client';

export const name = 'openid-client';

const METHODS = {
  client_secret_basic: ({ clientSecret }) => client.ClientSecretBasic(clientSecret),
  client_secret_post: ({ clientSecret }) => client.ClientSecretPost(clientSecret),
  private_key_jwt: ({ privateKey, kid }) => client.PrivateKeyJwt({ key: privateKey, kid }),
};

export async function connect(settings) {
  const { issuer, clientId, method } = settings;
  const configured = (metadata, ...more) =>
    client.discovery(new URL(issuer), clientId, metadata, METHODS[method](settings), {
      algorithm: 'oauth2',
      // The server under test listens on loopback without TLS.
      execute: [client.allowInsecureRequests, ...more],
    });
  const configuration = await configured();
  return {
    metadata: configuration.serverMetadata(),
    token: (scope, { proof, resource } = {}) =>
      client.clientCredentialsGrant(
        configuration, { scope, ...(resource && { resource }) }, { DPoP: proof }),
    introspect: (token) => client.tokenIntrospection(configuration, token),
    /** As a JWT that the server signed, by its published keys (RFC 9701). */
    introspectSigned: async (token, algorithm) => {
      const signed = await configured(
        { introspection_signed_response_alg: algorithm }, client.enableNonRepudiationChecks);
      return client.tokenIntrospection(signed, token);
    },
    revoke: (token) => client.tokenRevocation(configuration, token),
    /** What makes proofs of that key, and keeps the nonces that the server gives. */
    prover: (keys) => client.getDPoPHandle(configuration, keys),
    /** The status of a call with a token, and with a proof if there is a prover. */
    call: async (token, url, proof) => {
      const response = await client.fetchProtectedResource(
        configuration, token, new URL(url), 'GET', undefined, undefined, { DPoP: proof });
      return response.status;
    },
  };
}
