// openid-client and oauth4webapi get in by the certificate of the connection (RFC 8705), at the endpoints
// that the metadata names for that, and use the token with it and without. Prints what they saw.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import https from 'node:https';

import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';

const { ISSUER: issuer, CLIENT_ID: clientId, CA, CERTIFICATE, KEY } = process.env;
const [ca, cert, key] = [CA, CERTIFICATE, KEY].map((file) => readFileSync(file));

/** A `fetch` over connections with these. */
const fetchWith = (shown) => (url, { method = 'GET', headers, body } = {}) =>
  new Promise((resolve, reject) => {
    const settings = { ca, ...shown, method, headers: Object.fromEntries(new Headers(headers)) };
    const request = https.request(url, settings, async (answer) => {
      const parts = [];
      for await (const part of answer) parts.push(part);
      resolve(new Response(Buffer.concat(parts), { status: answer.statusCode, headers: answer.headers }));
    });
    request.on('error', reject);
    request.end(body?.toString());
  });

const certified = fetchWith({ cert, key });
const bare = fetchWith({});

async function statuses(token) {
  const headers = { authorization: `Bearer ${token}` };
  const read = async (fetch) => (await fetch(`${issuer}/api/v1/agents`, { headers })).status;
  return { withCertificate: await read(certified), withNone: await read(bare) };
}

const confirmation = (token) => {
  const [, payload] = token.split('.');
  return Object.keys(JSON.parse(Buffer.from(payload, 'base64url')).cnf);
};

async function byOpenidClient() {
  const configuration = await client.discovery(
    new URL(issuer), clientId, { use_mtls_endpoint_aliases: true }, client.TlsClientAuth(),
    { algorithm: 'oauth2', [client.customFetch]: certified });
  const metadata = configuration.serverMetadata();
  assert(metadata.token_endpoint_auth_methods_supported.includes('tls_client_auth'));
  assert.equal(metadata.tls_client_certificate_bound_access_tokens, true);
  const { access_token: token } = await client.clientCredentialsGrant(configuration, { scope: 'agents:read' });
  const told = await client.tokenIntrospection(configuration, token);
  return { library: 'openid-client', bound: confirmation(token), active: told.active, ...(await statuses(token)) };
}

async function byOauth4webapi() {
  const options = { [oauth.customFetch]: certified };
  const url = new URL(issuer);
  const found = await oauth.discoveryRequest(url, { algorithm: 'oauth2', ...options });
  const server = await oauth.processDiscoveryResponse(url, found);
  const asking = { client_id: clientId, use_mtls_endpoint_aliases: true };
  const ask = async (fetch) => {
    const parameters = new URLSearchParams({ scope: 'agents:read' });
    const answer = await oauth.clientCredentialsGrantRequest(
      server, asking, oauth.TlsClientAuth(), parameters, { [oauth.customFetch]: fetch });
    return oauth.processClientCredentialsResponse(server, asking, answer);
  };
  const { access_token: token } = await ask(certified);
  const refused = await ask(bare).catch((error) => error.error);
  return { library: 'oauth4webapi', bound: confirmation(token), refused, ...(await statuses(token)) };
}

console.log(JSON.stringify([await byOpenidClient(), await byOauth4webapi()]));
