// The life of one token, from discovery to revocation, as a library that knows the standards lives it.

import assert from 'node:assert/strict';

import { createRemoteJWKSet, jwtVerify } from 'jose';

const SCOPE = 'agents:read tokens:introspect tokens:revoke';

export const words = (text) => text.split(' ').sort();

/** Lives it, and returns what was seen. `wrong` are the settings of a client that must be refused. */
export async function lifeOfAToken(library, settings, wrong) {
  const { issuer, method } = settings;
  const client = await library.connect(settings);
  assert.equal(client.metadata.issuer, issuer);
  for (const endpoint of ['token', 'introspection', 'revocation']) {
    assert(client.metadata[`${endpoint}_endpoint_auth_methods_supported`].includes(method), endpoint);
  }

  const answer = await client.token(SCOPE);
  assert.equal(answer.token_type.toLowerCase(), 'bearer');
  assert.equal(answer.refresh_token, undefined);
  assert.deepEqual(words(answer.scope), words(SCOPE));
  assert(answer.expires_in > 0);
  const token = answer.access_token;

  const { payload: claims, protectedHeader } = await verified(token, client.metadata, settings);
  assert.equal(claims.sub, settings.clientId);
  assert.equal(claims.client_id, settings.clientId);
  assert.deepEqual(words(claims.scope), words(SCOPE));
  assert.equal(claims.exp - claims.iat, answer.expires_in);
  await client.accept?.(token);

  const before = await client.introspect(token);
  assertTold(before, claims);
  await client.revoke(token);
  const after = await client.introspect(token);
  assert.deepEqual(after, { active: false });
  // A token that is dead already, and text that is none, are no errors (RFC 7009 section 2.2).
  await client.revoke(token);
  await client.revoke('no-token-at-all');

  return {
    library: library.name,
    method,
    signedWith: protectedHeader.alg,
    type: protectedHeader.typ,
    activeBefore: before.active,
    activeAfter: after.active,
    wrongCredential: await refusal(await library.connect(wrong), SCOPE),
  };
}

/**
 * Checks a token by the keys that the server publishes, as a resource server of that organization
 * would. Without `resource` it is for the server itself.
 */
export async function verified(token, metadata, { organization, resource = metadata.issuer }) {
  const keys = createRemoteJWKSet(new URL(metadata.jwks_uri));
  const checked = await jwtVerify(token, keys, {
    issuer: metadata.issuer,
    audience: resource,
    typ: 'at+jwt',
    algorithms: ['ES256', 'EdDSA', 'RS256', 'PS256'],
    requiredClaims: ['iss', 'exp', 'aud', 'sub', 'client_id', 'organization_id', 'iat', 'jti'],
  });
  // The issuer signs for all of its organizations with the same keys, and another of them can have a
  // token made out for any resource that it says is its own.
  if (checked.payload.organization_id !== organization) {
    throw new Error('the token is of another organization');
  }
  return checked;
}

/** What is told of a token that lives, as JSON and as a JWT that the server signed (RFC 9701). */
export async function signedIntrospection(library, settings) {
  const client = await library.connect(settings);
  const { access_token: token } = await client.token(SCOPE);
  const { payload: claims, protectedHeader } = await verified(token, client.metadata, settings);
  const offered = client.metadata.introspection_signing_alg_values_supported;
  assert(offered.includes(protectedHeader.alg), offered);
  assertTold(await client.introspectSigned(token, protectedHeader.alg), claims);
  await client.revoke(token);
  const after = await client.introspectSigned(token, protectedHeader.alg);
  assert.deepEqual(after, { active: false });
  return { library: library.name, method: settings.method, signedWith: protectedHeader.alg };
}

function assertTold(told, claims) {
  assert.equal(told.active, true);
  for (const claim of ['iss', 'sub', 'client_id', 'exp', 'iat', 'jti']) {
    assert.equal(told[claim], claims[claim], claim);
  }
}

/** The error of a client that the server must refuse. */
export async function refusal(client, scope, options) {
  try {
    await client.token(scope, options);
  } catch (error) {
    const [problem] = [error, error.cause].filter((one) => one?.response);
    assert(problem, String(error));
    // With a challenge in the header (RFC 6749 section 5.2) the libraries leave the body unread.
    return problem.error ?? (await problem.response.json()).error;
  }
  assert.fail('a token was given');
}
