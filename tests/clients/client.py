"""A partner's system in Python: Authlib gets and ends tokens, joserfc makes the keys and the proofs of possession.

`client.py keys FOLDER` makes the client's keys: NAME.json (private) and NAME.jwks (public, for registration).
`client.py use SETTINGS` gets and uses tokens against a running server; SETTINGS is the file that `run` writes.
"""

import base64
import hashlib
import json
import pathlib
import sys
import time
import traceback
import uuid
import warnings

import requests
from authlib.integrations.requests_client import OAuth2Session, OAuthError
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, KeySet, OKPKey, thumbprint

# RFC 9864 names Ed25519 anew; the server's metadata names it as RFC 8037 does.
warnings.simplefilter("ignore", SecurityWarning)

KEYS = {"EdDSA": lambda: OKPKey.generate_key("Ed25519"), "ES256": lambda: ECKey.generate_key("P-256")}
VIEWER = "{ viewer { partner { code } scopes } }"
SETTLEMENTS = "{ settlements(first: 1) { nodes { id } } }"
# How long a token may still be let in after it was revoked.
REVOKED_WITHIN_SECONDS = 5
# How long an assertion is good; Authlib's hour is more than the server allows.
ASSERTION_SECONDS = 60


def make_keys(folder):
    for algorithm, generate in KEYS.items():
        key = generate()
        names = {"kid": thumbprint(key.as_dict(private=False)), "alg": algorithm, "use": "sig"}
        private, public = key.as_dict(private=True) | names, key.as_dict(private=False) | names
        (folder / f"{algorithm}.json").write_text(json.dumps(private))
        (folder / f"{algorithm}.jwks").write_text(json.dumps({"keys": [public]}))


class Assertion(PrivateKeyJWT):
    """An assertion of its own for each request, or the same for all when it is stated."""

    def __init__(self, algorithm, key, audience, stated=None):
        super().__init__(audience, alg=algorithm, headers={"kid": key.kid})
        self.key, self.stated, self.last = key, stated, None

    def sign(self, auth, token_endpoint):
        self.claims = {"exp": int(time.time()) + ASSERTION_SECONDS}
        auth.client_secret = self.key
        self.last = self.stated or super().sign(auth, token_endpoint)
        return self.last


class Prover:
    """Proofs of possession (RFC 9449) of one key, with the nonce that the server asked for last."""

    def __init__(self, algorithm):
        self.algorithm, self.key, self.nonce, self.asked = algorithm, KEYS[algorithm](), None, 0

    def proof(self, address, token=None):
        claims = {"jti": str(uuid.uuid4()), "htm": "POST", "htu": address, "iat": int(time.time())}
        if self.nonce:
            claims["nonce"] = self.nonce
        if token:
            digest = hashlib.sha256(token.encode()).digest()
            claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        header = {"typ": "dpop+jwt", "alg": self.algorithm, "jwk": self.key.as_dict(private=False)}
        return jwt.encode(header, claims, self.key, algorithms=[self.algorithm])

    def note(self, response, *_arguments, **_options):
        self.nonce = response.headers.get("DPoP-Nonce", self.nonce)

    def count_asking(self):
        """The server asked for its nonce."""
        self.asked += 1
        assert self.nonce, "use_dpop_nonce comes with a DPoP-Nonce header"


class Partner:
    """One registered client of a partner."""

    def __init__(self, server, registered, method="client_secret_basic", assertion=None):
        self.server, self.method, self.assertion = server, method, assertion
        self.id, self.secret = registered["client_id"], registered.get("client_secret")

    def session(self, scope=None):
        return OAuth2Session(
            self.id,
            self.secret,
            scope=scope,
            token_endpoint_auth_method=self.assertion or self.method,
            revocation_endpoint_auth_method=self.assertion or self.method,
        )

    def token(self, scope=None, headers=None):
        """A token, as Authlib reads it from the answer."""
        headers = {"Accept": "application/json", **(headers or {})}
        return self.session(scope).fetch_token(
            self.server["token_endpoint"], grant_type="client_credentials", headers=headers
        )

    def bound_token(self, prover, scope=None):
        """A token bound to the prover's key; asks again with the nonce that the server wants."""
        endpoint = self.server["token_endpoint"]

        def once():
            session = self.session(scope)
            session.hooks["response"].append(prover.note)
            headers = {"Accept": "application/json", "DPoP": prover.proof(endpoint)}
            return session.fetch_token(endpoint, grant_type="client_credentials", headers=headers)

        try:
            return once()
        except OAuthError as error:
            if error.error != "use_dpop_nonce":
                raise
            prover.count_asking()
            return once()

    def introspect(self, token):
        answer = self.session().introspect_token(self.server["introspection_endpoint"], token)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def revoke(self, token):
        answer = self.session().revoke_token(self.server["revocation_endpoint"], token)
        assert answer.status_code == 200, answer.text


def ask(address, token, query=VIEWER, scheme="Bearer", proof=None):
    headers = {"Authorization": f"{scheme} {token}"} | ({"DPoP": proof} if proof else {})
    return requests.post(address, json={"query": query}, headers=headers, timeout=30)


def ask_bound(address, token, prover):
    """Asks with a proof, and again with the nonce that the server wants."""
    answer = ask(address, token, scheme="DPoP", proof=prover.proof(address, token))
    prover.note(answer)
    if answer.status_code == 401 and "use_dpop_nonce" in answer.headers["WWW-Authenticate"]:
        prover.count_asking()
        answer = ask(address, token, scheme="DPoP", proof=prover.proof(address, token))
    return answer


def is_let_in(answer, partner):
    assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
    viewer = answer.json()["data"]["viewer"]
    assert viewer["partner"]["code"] == partner, viewer
    return viewer


def refusal(get):
    """The error code with which a token is refused."""
    try:
        get()
    except OAuthError as error:
        return error.error
    raise AssertionError("a token was given")


class Checks:
    """What is shown, one method each; each stands alone."""

    def __init__(self, settings):
        self.settings = settings
        self.issuer, self.partner = settings["issuer"], settings["partner"]
        self.graphql = f"{self.issuer}/graphql"
        found = requests.get(f"{self.issuer}/.well-known/oauth-authorization-server", timeout=30)
        self.server = AuthorizationServerMetadata(found.json())

    def by_secret(self, method="client_secret_basic", name="secret"):
        return Partner(self.server, self.settings["clients"][name], method)

    def by_key(self, algorithm, audience=None, stated=None):
        private = json.loads(pathlib.Path(self.settings["keys"], f"{algorithm}.json").read_text())
        key = (OKPKey if private["kty"] == "OKP" else ECKey).import_key(private)
        assertion = Assertion(algorithm, key, audience or self.issuer, stated)
        return Partner(self.server, self.settings["clients"][algorithm], assertion=assertion)

    def the_server_is_discovered(self):
        # Authlib wants a response type, and a server without an authorization endpoint has none.
        for key in set(self.server.REGISTRY_KEYS) - {"response_types_supported"}:
            getattr(self.server, f"validate_{key}")()
        assert self.server["issuer"] == self.issuer
        assert self.server["grant_types_supported"] == ["client_credentials"]

    def a_token_is_an_access_token_by_the_published_keys(self):
        token = self.by_secret().token()["access_token"]
        keys = KeySet.import_key_set(requests.get(self.server["jwks_uri"], timeout=30).json())
        read = jwt.decode(token, keys, algorithms=["EdDSA"])
        assert read.header["typ"] == "at+jwt", read.header
        jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.issuer},
            client_id={"essential": True, "value": self.by_secret().id},
            sub={"essential": True},
            jti={"essential": True},
            exp={"essential": True},
        ).validate(read.claims)

    def client_secret_basic(self):
        token = self.by_secret().token()
        assert token["token_type"] == "Bearer" and token["expires_in"] > 0, token["token_type"]
        is_let_in(ask(self.graphql, token["access_token"]), self.partner)

    def client_secret_post(self):
        token = self.by_secret("client_secret_post").token()
        is_let_in(ask(self.graphql, token["access_token"]), self.partner)

    def private_key_jwt_eddsa(self):
        token = self.by_key("EdDSA").token()
        is_let_in(ask(self.graphql, token["access_token"]), self.partner)

    def private_key_jwt_es256(self):
        token = self.by_key("ES256").token()
        is_let_in(ask(self.graphql, token["access_token"]), self.partner)

    def private_key_jwt_for_the_token_endpoint(self):
        token = self.by_key("EdDSA", audience=self.server["token_endpoint"]).token()
        is_let_in(ask(self.graphql, token["access_token"]), self.partner)

    def a_replayed_assertion_is_refused(self):
        first = self.by_key("ES256")
        first.token()
        assert refusal(self.by_key("ES256", stated=first.assertion.last).token) == "invalid_client"

    def an_assertion_for_another_server_is_refused(self):
        elsewhere = self.by_key("EdDSA", audience="https://elsewhere.example")
        assert refusal(elsewhere.token) == "invalid_client"

    def a_wrong_secret_is_refused(self):
        for method in ("client_secret_basic", "client_secret_post"):
            wrong = self.by_secret(method)
            wrong.secret = wrong.secret[:-1] + ("A" if wrong.secret[-1] != "A" else "E")
            assert refusal(wrong.token) == "invalid_client"

    def a_client_of_keys_has_no_secret(self):
        registered = self.settings["clients"]["EdDSA"] | {"client_secret": "onestop_secret_none"}
        assert refusal(Partner(self.server, registered).token) == "invalid_client"

    def a_token_does_what_its_scopes_say(self):
        token = self.by_secret().token(scope="EVENT_READ")
        assert token["scope"] == "EVENT_READ", token["scope"]
        viewer = is_let_in(ask(self.graphql, token["access_token"]), self.partner)
        assert viewer["scopes"] == ["EVENT_READ"], viewer
        answer = ask(self.graphql, token["access_token"], SETTLEMENTS).json()
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN", answer
        whole = self.by_secret().token()["access_token"]
        assert "errors" not in ask(self.graphql, whole, SETTLEMENTS).json()

    def a_scope_of_another_kind_is_refused(self):
        assert refusal(lambda: self.by_secret().token(scope="CARD_REDEEM")) == "invalid_scope"

    def introspection_tells_the_partner_alone(self):
        partner = self.by_secret()
        token = partner.token()["access_token"]
        said = partner.introspect(token)
        assert said["active"] is True and said["client_id"] == partner.id, said
        assert said["token_type"] == "Bearer" and said["iss"] == self.issuer, said
        assert self.by_key("EdDSA").introspect(token)["active"] is True, "a client of the same partner"
        assert self.by_secret(name="other").introspect(token) == {"active": False}
        assert partner.introspect("nonsense") == {"active": False}

    def a_revoked_token_is_refused_within_five_seconds(self):
        for partner in (self.by_secret(), self.by_key("EdDSA")):
            token = partner.token()["access_token"]
            is_let_in(ask(self.graphql, token), self.partner)
            self.by_secret(name="other").revoke(token)
            is_let_in(ask(self.graphql, token), self.partner)
            partner.revoke(token)
            until = time.monotonic() + REVOKED_WITHIN_SECONDS
            while (answer := ask(self.graphql, token)).status_code != 401:
                assert time.monotonic() < until, "still let in"
                time.sleep(0.2)
            assert "invalid_token" in answer.headers["WWW-Authenticate"]
            assert partner.introspect(token) == {"active": False}

    def bound_tokens_take_a_nonce_at_both_doors(self):
        for algorithm in KEYS:
            at_the_door, within = Prover(algorithm), Prover(algorithm)
            partner = self.by_secret(name="bound")
            token = partner.bound_token(at_the_door)
            assert token["token_type"] == "DPoP" and at_the_door.asked == 1, token["token_type"]
            within.key = at_the_door.key
            is_let_in(ask_bound(self.graphql, token["access_token"], within), self.partner)
            assert within.asked == 1, "the first proof had no nonce"
            is_let_in(ask_bound(self.graphql, token["access_token"], within), self.partner)
            assert within.asked == 1, "the nonce is good for more than one request"
            said = partner.introspect(token["access_token"])
            bound_to = thumbprint(at_the_door.key.as_dict(private=False))
            assert said["token_type"] == "DPoP" and said["cnf"] == {"jkt": bound_to}, said

    def bound_tokens_for_an_asserted_client(self):
        prover = Prover("ES256")
        token = self.by_key("EdDSA").bound_token(prover)["access_token"]
        is_let_in(ask_bound(self.graphql, token, prover), self.partner)

    def a_bound_token_is_nothing_without_its_key(self):
        prover, other = Prover("EdDSA"), Prover("EdDSA")
        token = self.by_secret(name="bound").bound_token(prover)["access_token"]
        is_let_in(ask_bound(self.graphql, token, prover), self.partner)
        assert ask(self.graphql, token).status_code == 401
        assert ask(self.graphql, token, scheme="DPoP").status_code == 401
        assert ask_bound(self.graphql, token, other).status_code == 401

    def a_proof_is_good_once_and_for_one_address(self):
        prover = Prover("EdDSA")
        token = self.by_secret(name="bound").bound_token(prover)["access_token"]
        proof = prover.proof(self.graphql, token)
        is_let_in(ask(self.graphql, token, scheme="DPoP", proof=proof), self.partner)
        assert ask(self.graphql, token, scheme="DPoP", proof=proof).status_code == 401
        elsewhere = prover.proof(f"{self.issuer}/elsewhere", token)
        assert ask(self.graphql, token, scheme="DPoP", proof=elsewhere).status_code == 401

    def a_client_of_bound_tokens_gets_no_other(self):
        assert refusal(self.by_secret(name="bound").token) == "invalid_request"


def use(path):
    checks = Checks(json.loads(pathlib.Path(path).read_text()))
    passed = failed = 0
    for name, check in vars(Checks).items():
        if name.startswith(("_", "by_")):
            continue
        try:
            check(checks)
        except Exception:
            failed += 1
            print(f"python: FAILED {name}", flush=True)
            traceback.print_exc()
        else:
            passed += 1
            print(f"python: {name}", flush=True)
    print(f"python: {passed} passed, {failed} failed", flush=True)
    return failed == 0


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["keys", folder]:
            make_keys(pathlib.Path(folder))
        case ["use", settings]:
            sys.exit(0 if use(settings) else 1)
        case _:
            sys.exit(__doc__)
