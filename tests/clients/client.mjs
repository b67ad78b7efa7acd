// A partner's system in JavaScript: openid-client gets, proves, uses and ends tokens, jose makes and reads the keys.
//
// `client.mjs keys FOLDER` makes the client's keys: NAME.json (private) and NAME.jwks (public, for registration).
// `client.mjs use SETTINGS` gets and uses tokens against a running server; SETTINGS is the file that `run` writes.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as jose from 'jose'
import * as client from 'openid-client'

const ALGORITHMS = ['EdDSA', 'ES256']
const VIEWER = '{ viewer { partner { code } scopes } }'
const SETTLEMENTS = '{ settlements(first: 1) { nodes { id } } }'
// How long a token may still be let in after it was revoked.
const REVOKED_WITHIN_MILLISECONDS = 5000
// openid-client names Ed25519 as RFC 9864 does; the server's metadata names it as RFC 8037 does.
const asTheServerNamesIt = {
  [client.modifyAssertion]: (header) => {
    if (header.alg === 'Ed25519') header.alg = 'EdDSA'
  },
}

async function makeKeys(folder) {
  for (const alg of ALGORITHMS) {
    const pair = await jose.generateKeyPair(alg, { extractable: true })
    const kid = await jose.calculateJwkThumbprint(await jose.exportJWK(pair.publicKey))
    const named = async (key) => ({ ...(await jose.exportJWK(key)), kid, alg, use: 'sig' })
    await writeFile(join(folder, `${alg}.json`), JSON.stringify(await named(pair.privateKey)))
    await writeFile(join(folder, `${alg}.jwks`), JSON.stringify({ keys: [await named(pair.publicKey)] }))
  }
}

class Checks {
  constructor(settings) {
    this.settings = settings
    this.graphql = new URL(`${settings.issuer}/graphql`)
  }

  // A client as openid-client configures it, from the server's own metadata. `exchanges` notes each request to the server.
  async #configured(name, metadata, authentication) {
    const exchanges = []
    const noting = async (address, options) => {
      const response = await fetch(address, options)
      exchanges.push({ path: new URL(address).pathname, body: options.body, status: response.status })
      return response
    }
    const config = await client.discovery(
      new URL(this.settings.issuer),
      this.settings.clients[name].client_id,
      metadata,
      authentication,
      { algorithm: 'oauth2', execute: [client.allowInsecureRequests], [client.customFetch]: noting },
    )
    return { config, exchanges }
  }

  bySecret(name = 'secret', method = client.ClientSecretBasic) {
    const secret = this.settings.clients[name].client_secret
    return this.#configured(name, secret, method(secret))
  }

  async byKey(alg, options = asTheServerNamesIt) {
    const jwk = JSON.parse(await readFile(join(this.settings.keys, `${alg}.json`), 'utf8'))
    const key = { key: await jose.importJWK(jwk, alg), kid: jwk.kid }
    return this.#configured(alg, undefined, client.PrivateKeyJwt(key, options))
  }

  ask(config, token, query = VIEWER, options = undefined) {
    const headers = new Headers({ 'content-type': 'application/json' })
    const body = JSON.stringify({ query })
    return client.fetchProtectedResource(config, token, this.graphql, 'POST', body, headers, options)
  }

  async isLetIn(config, token, options) {
    const response = await this.ask(config, token, VIEWER, options)
    const answer = await response.json()
    assert.equal(response.status, 200, JSON.stringify(answer))
    assert.equal(answer.data.viewer.partner.code, this.settings.partner)
    return answer.data.viewer
  }

  async isGiven({ config }) {
    const given = await client.clientCredentialsGrant(config)
    assert.equal(given.token_type, 'bearer')
    await this.isLetIn(config, given.access_token)
    return given.access_token
  }

  checks = {
    'the server is discovered': async () => {
      const { config } = await this.bySecret()
      const server = config.serverMetadata()
      assert.equal(server.issuer, this.settings.issuer)
      for (const method of ['client_secret_basic', 'client_secret_post', 'private_key_jwt']) {
        assert(server.token_endpoint_auth_methods_supported.includes(method))
      }
      assert.deepEqual(server.dpop_signing_alg_values_supported, ALGORITHMS)
    },

    'a token is an access token by the published keys': async () => {
      const { config } = await this.bySecret()
      const { access_token: token } = await client.clientCredentialsGrant(config)
      const keys = jose.createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri))
      const issuer = this.settings.issuer
      const expected = { issuer, audience: issuer, typ: 'at+jwt', algorithms: ['EdDSA'] }
      const { payload } = await jose.jwtVerify(token, keys, expected)
      assert.equal(payload.client_id, this.settings.clients.secret.client_id)
    },

    'client_secret_basic': async () => this.isGiven(await this.bySecret('secret', client.ClientSecretBasic)),
    'client_secret_post': async () => this.isGiven(await this.bySecret('secret', client.ClientSecretPost)),
    'private_key_jwt, EdDSA': async () => this.isGiven(await this.byKey('EdDSA')),
    'private_key_jwt, ES256': async () => this.isGiven(await this.byKey('ES256')),

    'a replayed assertion is refused': async () => {
      const { config, exchanges } = await this.byKey('ES256')
      await client.clientCredentialsGrant(config)
      const { body } = exchanges.at(-1)
      assert.match(String(body), /client_assertion=/)
      const endpoint = config.serverMetadata().token_endpoint
      const again = await fetch(endpoint, { method: 'POST', body: new URLSearchParams(body) })
      assert.equal(again.status, 401)
      assert.equal((await again.json()).error, 'invalid_client')
    },

    'an assertion for another server is refused': async () => {
      const elsewhere = {
        [client.modifyAssertion]: (_header, claims) => {
          claims.aud = 'https://elsewhere.example'
        },
      }
      const { config } = await this.byKey('ES256', elsewhere)
      assert.equal(await refusal(client.clientCredentialsGrant(config)), 'invalid_client')
    },

    'a wrong secret is refused': async () => {
      for (const method of [client.ClientSecretBasic, client.ClientSecretPost]) {
        const { config } = await this.#configured('secret', 'onestop_secret_wrong', method('onestop_secret_wrong'))
        assert.equal(await refusal(client.clientCredentialsGrant(config)), 'invalid_client')
      }
    },

    'a token does what its scopes say': async () => {
      const { config } = await this.bySecret()
      const given = await client.clientCredentialsGrant(config, { scope: 'EVENT_READ' })
      assert.equal(given.scope, 'EVENT_READ')
      assert.deepEqual((await this.isLetIn(config, given.access_token)).scopes, ['EVENT_READ'])
      const answer = await (await this.ask(config, given.access_token, SETTLEMENTS)).json()
      assert.equal(answer.errors[0].extensions.code, 'FORBIDDEN')
      const ofAnotherKind = client.clientCredentialsGrant(config, { scope: 'CARD_REDEEM' })
      assert.equal(await refusal(ofAnotherKind), 'invalid_scope')
    },

    'introspection tells the partner alone': async () => {
      const { config } = await this.bySecret()
      const token = await this.isGiven({ config })
      const said = await client.tokenIntrospection(config, token)
      assert.equal(said.active, true)
      assert.equal(said.client_id, this.settings.clients.secret.client_id)
      const { config: other } = await this.bySecret('other')
      assert.deepEqual(await client.tokenIntrospection(other, token), { active: false })
      assert.deepEqual(await client.tokenIntrospection(config, 'nonsense'), { active: false })
    },

    'a revoked token is refused within five seconds': async () => {
      const { config: other } = await this.bySecret('other')
      for (const { config } of [await this.bySecret(), await this.byKey('EdDSA')]) {
        const token = await this.isGiven({ config })
        await client.tokenRevocation(other, token)
        await this.isLetIn(config, token)
        await client.tokenRevocation(config, token)
        const until = Date.now() + REVOKED_WITHIN_MILLISECONDS
        while (!(await isChallenged(this.ask(config, token), 'bearer', 'invalid_token'))) {
          assert(Date.now() < until, 'still let in')
          await sleep(200)
        }
        assert.deepEqual(await client.tokenIntrospection(config, token), { active: false })
      }
    },

    'bound tokens take a nonce at both doors': async () => {
      for (const alg of ALGORITHMS) {
        const { config, exchanges } = await this.bySecret('bound')
        const pair = await client.randomDPoPKeyPair(alg)
        const atTheDoor = client.getDPoPHandle(config, pair, asTheServerNamesIt)
        const given = await client.clientCredentialsGrant(config, {}, { DPoP: atTheDoor })
        assert.equal(given.token_type, 'dpop')
        // A handle of its own has no nonce yet.
        const within = { DPoP: client.getDPoPHandle(config, pair, asTheServerNamesIt) }
        await this.isLetIn(config, given.access_token, within)
        await this.isLetIn(config, given.access_token, within)
        const doors = (path) => exchanges.filter((one) => one.path === path).map((one) => one.status)
        assert.deepEqual(doors('/oauth/token'), [400, 200])
        assert.deepEqual(doors('/graphql'), [401, 200, 200])
        const said = await client.tokenIntrospection(config, given.access_token)
        assert.equal(said.token_type, 'DPoP')
        assert.deepEqual(said.cnf, { jkt: await atTheDoor.calculateThumbprint() })
      }
    },

    'bound tokens for an asserted client': async () => {
      const { config, exchanges } = await this.byKey('EdDSA')
      const pair = await client.randomDPoPKeyPair('ES256')
      const options = { DPoP: client.getDPoPHandle(config, pair) }
      const given = await client.clientCredentialsGrant(config, {}, options)
      assert.equal(exchanges.filter((one) => one.path === '/oauth/token').length, 2)
      await this.isLetIn(config, given.access_token, options)
    },

    'a bound token is nothing without its key': async () => {
      const { config } = await this.bySecret('bound')
      const handle = async () => client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
      const options = { DPoP: await handle() }
      const { access_token: token } = await client.clientCredentialsGrant(config, {}, options)
      await this.isLetIn(config, token, options)
      assert(await isChallenged(this.ask(config, token), 'bearer', 'invalid_token'))
      const stolen = this.ask(config, token, VIEWER, { DPoP: await handle() })
      assert(await isChallenged(stolen, 'dpop', 'invalid_dpop_proof'))
    },

    'a client of bound tokens gets no other': async () => {
      const { config } = await this.bySecret('bound')
      assert.equal(await refusal(client.clientCredentialsGrant(config)), 'invalid_request')
    },
  }
}

// The error code with which a token is refused. Where the server challenges besides (401), openid-client leaves the body to be read.
async function refusal(asking) {
  try {
    await asking
  } catch (error) {
    if (error instanceof client.ResponseBodyError) return error.error
    if (error instanceof client.WWWAuthenticateChallengeError) return (await error.response.json()).error
    throw error
  }
  assert.fail('a token was given')
}

// Whether a request was turned away with this challenge (false when it was let in).
async function isChallenged(asking, scheme, code) {
  try {
    const response = await asking
    assert.equal(response.status, 200)
    return false
  } catch (error) {
    if (!(error instanceof client.WWWAuthenticateChallengeError)) throw error
    return error.cause.some((challenge) => challenge.scheme === scheme && challenge.parameters.error === code)
  }
}

async function use(path) {
  const { checks } = new Checks(JSON.parse(await readFile(path, 'utf8')))
  let [passed, failed] = [0, 0]
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check()
      passed += 1
      console.log(`javascript: ${name}`)
    } catch (error) {
      failed += 1
      console.log(`javascript: FAILED ${name}`)
      console.error(error)
    }
  }
  console.log(`javascript: ${passed} passed, ${failed} failed`)
  return failed === 0
}

const [order, path] = process.argv.slice(2)
if (order === 'keys' && path) await makeKeys(path)
else if (order === 'use' && path) process.exit((await use(path)) ? 0 : 1)
else {
  console.error('client.mjs keys FOLDER | client.mjs use SETTINGS')
  process.exit(2)
}
