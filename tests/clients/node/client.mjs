// Two of npm's OAuth clients use the server at ISSUER as they would use any other. Prints one line
// of JSON with what they saw; anything that is not as it should be ends the process with an error.

import assert from 'node:assert/strict';

import { createRemoteJWKSet, jwtVerify } from 'jose';

import * as oauth4webapi from './oauth4webapi.mjs';
import * as openidClient from './openid_client.mjs';

const { ISSUER: issuer, CLIENT_ID: clientId, CLIENT_SECRET: clientSecret, SCOPE: scope } = process.env;
assert(issuer && clientId && clientSecret && scope, 'ISSUER, CLIENT_ID, CLIENT_SECRET, SCOPE');

const words = (text) => text.split(' ').sort();

/** The life of one token, from discovery to revocation. */
async function use(library, method) {
  const settings = { issuer, clientId, clientSecret, method };
  const server = await library.connect(settings);
  assert.equal(server.metadata.issuer, issuer);
  assert(server.metadata.token_endpoint_auth_methods_supported.includes(method));

  const answer = await server.token(scope);
  assert.equal(answer.token_type.toLowerCase(), 'bearer');
  assert.deepEqual(words(answer.scope), words(scope));
  assert(answer.expires_in > 0);
  const token = answer.access_token;

  const claims = await verified(token, server);
  assert.equal(claims.exp - claims.iat, answer.expires_in);

  const before = await server.introspect(token);
  assert.equal(before.active, true);
  for (const claim of ['iss', 'sub', 'client_id', 'exp', 'iat', 'jti']) {
    assert.equal(before[claim], claims[claim], claim);
  }
  await server.revoke(token);
  const after = await server.introspect(token);
  assert.deepEqual(after, { active: false });
  // A token that is dead already, and text that is none, are no errors (RFC 7009 section 2.2).
  await server.revoke(token);
  await server.revoke('no-token-at-all');

  return {
    library: library.name,
    method,
    type: claims.typ,
    activeBefore: before.active,
    activeAfter: after.active,
    wrongSecret: await refusal(library, settings),
  };
}

/** Checks the token by the keys that the server publishes, as a resource server would. */
async function verified(token, server) {
  const keys = createRemoteJWKSet(new URL(server.metadata.jwks_uri));
  const { payload, protectedHeader } = await jwtVerify(token, keys, {
    issuer,
    audience: issuer,
    typ: 'at+jwt',
    algorithms: ['ES256'],
    requiredClaims: ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti'],
  });
  assert.equal(payload.sub, clientId);
  assert.equal(payload.client_id, clientId);
  assert.deepEqual(words(payload.scope), words(scope));
  await server.accept?.(token);
  return { ...payload, typ: protectedHeader.typ };
}

/** The error of a client that has another secret of the same form. */
async function refusal(library, settings) {
  const last = clientSecret.at(-1) === 'A' ? 'B' : 'A';
  const wrong = await library.connect({ ...settings, clientSecret: clientSecret.slice(0, -1) + last });
  try {
    await wrong.token(scope);
  } catch (error) {
    const [problem] = [error, error.cause].filter((one) => one?.response);
    assert.equal(problem?.response.status, 401, String(error));
    // With a challenge in the header (RFC 6749 section 5.2) the libraries leave the body unread.
    return problem.error ?? (await problem.response.json()).error;
  }
  assert.fail('a wrong secret was accepted');
}

const seen = [];
for (const library of [openidClient, oauth4webapi]) {
  for (const method of ['client_secret_basic', 'client_secret_post']) {
    const one = await use(library, method);
    assert.equal(one.wrongSecret, 'invalid_client');
    seen.push(one);
  }
}
console.log(JSON.stringify({ seen }));
