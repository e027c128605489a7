"""`cozekit doctor` with good and bad settings."""

from __future__ import annotations

import json
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

import coze_api
import cozekit
from coze_sandbox import PUBLIC_APP, Sandbox
from cozekit._profiles import Profile, Profiles
from cozekit.auth import Token

FOREIGN = "pat_of_the_other_region"


@pytest.fixture
def examined(cozekit, monkeypatch):
    """Return a function that runs the doctor and returns its status, errors by check, and the full report."""

    def run(token=None, *arguments):
        if token is not None:
            monkeypatch.setenv("COZE_API_TOKEN", token)
        done = cozekit("doctor", "--json", *arguments)
        assert done.err == ""
        report = json.loads(done.out)
        for secret in (token, "hush"):
            assert secret is None or secret not in done.out
        bad = {
            finding["check"]: f"{finding['text']} -> {finding['remedy']}"
            for finding in report["findings"]
            if finding["level"] == "bad"
        }
        assert report["healthy"] == (not bad) == (done.status == 0)
        return done.status, bad, report

    return run


def finding_of(report, check):
    return " ".join(finding["text"] for finding in report["findings"] if finding["check"] == check)


class Server:
    """Sends the same response to all requests, over plain HTTP or with an untrusted certificate."""

    def __init__(self, body=b"{}", content_type="application/json", date=None, context=None):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def date_time_string(self, timestamp=None):
                return date or super().date_time_string(timestamp)

            def log_message(self, *_):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        scheme = "http"
        if context is not None:
            scheme = "https"
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.base_url = f"{scheme}://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


ME = json.dumps({"code": 0, "msg": "", "data": {"user_id": "1", "user_name": "a", "nick_name": "A", "avatar_url": ""}})


def test_valid_token_reports_user_and_permissions(examined, coze_sandbox):
    """With a valid token the doctor reports its user and permissions, and exits with 0."""
    status, _, report = examined(coze_sandbox.token, "--base-url", coze_sandbox.base_url)
    assert status == 0
    assert report["services"] == [coze_sandbox.base_url]
    assert {"users.me", "workspaces.list", "bots.list", "workflows.list", "datasets.list"} <= set(report["may"])
    assert "nowhere else" in finding_of(report, "privacy")
    known = f"cozekit {cozekit.__version__}, API description {coze_api.API_VERSION}, Python "
    assert finding_of(report, "versions").startswith(known)
    assert "httpx" in finding_of(report, "versions")
    assert "right" in finding_of(report, "clock")


def test_doctor_sends_only_read_requests(examined, coze_sandbox):
    """The doctor sends only read requests, and calls each operation once."""
    examined(coze_sandbox.token, "--base-url", coze_sandbox.base_url)
    called = [record.operation for record in coze_sandbox.requests]
    assert len(called) == len(set(called)) <= 10
    assert {record.method for record in coze_sandbox.requests} == {"GET"}


def test_terminal_report_has_marks_and_arrows(cozekit, coze_sandbox, monkeypatch):
    """In the text report each finding is a line with a mark, and each remedy a line with an arrow."""
    monkeypatch.setenv("COZE_API_TOKEN", "pat_wrong")
    done = cozekit("doctor", "--base-url", coze_sandbox.base_url)
    assert (done.status, done.err) == (1, "")
    assert "ok  token: COZE_API_TOKEN is set" in done.out
    assert "!!  token: 127.0.0.1" in done.out
    assert "    -> create a token on the website" in done.out


def test_missing_permissions_are_listed_and_are_no_error(examined):
    """Operations that the token does not permit are listed with the missing permission, and are not errors."""
    with Sandbox(tokens={"pat_few": frozenset({"listWorkspace", "listBot"})}) as sandbox:
        status, _, report = examined("pat_few", "--base-url", sandbox.base_url)
    assert status == 0
    assert report["may"] == ["users.me", "workspaces.list", "bots.list"]
    assert report["may_not"]["workflows.list"] == "listWorkflow"


def test_missing_token_is_reported_without_sending(examined):
    """Without a token the doctor reports how to get one, and sends nothing."""
    status, bad, _ = examined()
    assert status == 1
    assert "cozekit login" in bad["token"]


def test_unknown_token_is_reported_with_possible_causes(examined, coze_sandbox):
    """An unknown token is reported as misspelled, expired or deleted."""
    _, bad, report = examined("pat_wrong", "--base-url", coze_sandbox.base_url)
    assert "4100" in bad["token"]
    assert (report["may"], report["services"]) == ([], [])


@pytest.fixture
def two_regions(monkeypatch):
    """Replace both official services by servers that reject each other's tokens."""
    with Sandbox(token="pat_com", foreign_tokens={"pat_cn"}) as com, Sandbox(token="pat_cn") as cn:
        monkeypatch.setattr("cozekit.cli._doctor.COZE_COM", com.base_url)
        monkeypatch.setattr("cozekit.cli._doctor.REGIONS", {com.base_url: "region com", cn.base_url: "region cn"})
        yield com, cn


def test_without_base_url_both_regions_are_checked(examined, two_regions):
    """If no base URL is set, both regions are checked, and the one that accepts the token is named."""
    status, _, report = examined("pat_com")
    assert status == 0
    assert finding_of(report, "region") == "the token belongs to region com."
    assert all(region.requests for region in two_regions)


def test_token_of_the_other_region_needs_coze_api_base(examined, two_regions):
    """A token of the region that is not the default needs COZE_API_BASE, which is reported."""
    status, bad, report = examined("pat_cn")
    assert status == 1
    assert "the token belongs to region cn." in finding_of(report, "region")
    assert f"COZE_API_BASE={two_regions[1].base_url}" in bad["region"]
    assert "workspaces.list" in report["may"]


def test_token_that_no_region_accepts_is_reported(examined, two_regions):
    """A token that neither region accepts is reported as such."""
    _, bad, _ = examined("pat_nobody")
    assert "no region accepts the token" in bad["region"]


def test_with_coze_api_base_the_other_region_gets_no_request(examined, two_regions, monkeypatch):
    """With COZE_API_BASE the token is not sent to the other region."""
    com, cn = two_regions
    monkeypatch.setenv("COZE_API_BASE", com.base_url)
    _, bad, _ = examined(FOREIGN)
    assert "token" in bad
    assert com.requests
    assert not cn.requests


def test_clock_offset_is_reported(examined):
    """A clock that is off by more than a minute is reported with the offset."""
    with Server(ME.encode(), date=formatdate(time.time() - 3600, usegmt=True)) as server:
        _, bad, _ = examined("pat_x", "--base-url", server.base_url)
    assert "ahead" in bad["clock"]
    assert "3600 s" in bad["clock"] or "360" in bad["clock"]


def test_html_response_is_reported_as_a_gateway(examined, coze_sandbox):
    """An HTML page is reported as the response of a gateway or proxy."""
    coze_sandbox.faults.add("html", "users.me", status=200)
    _, bad, _ = examined(coze_sandbox.token, "--base-url", coze_sandbox.base_url)
    assert "not one of Coze" in bad["service"]


def test_server_error_is_reported_with_log_id(examined, coze_sandbox):
    """An error of the service is reported with its log id."""
    coze_sandbox.faults.add("status", "users.me", status=500)
    _, bad, _ = examined(coze_sandbox.token, "--base-url", coze_sandbox.base_url)
    assert "500" in bad["service"]
    assert "logid 2" in bad["service"]


def test_unknown_host_is_reported_as_dns_failure(examined):
    """A host without an IP address is reported as a DNS failure."""
    _, bad, _ = examined("pat_x", "--base-url", "https://coze.invalid")
    assert "(DNS)" in bad["connection"]


def test_refused_connection_is_reported(examined):
    """A port on which no server listens is reported as a refused connection."""
    with Server() as server:
        address = server.base_url
    _, bad, _ = examined("pat_x", "--base-url", address)
    assert "nothing listens" in bad["connection"]


def test_untrusted_certificate_is_reported_with_a_remedy(examined, tmp_path):
    """An untrusted certificate is reported, with a remedy for companies whose proxy replaces certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(tmp_path))
    with Server(context=context) as server:
        _, bad, _ = examined("pat_x", "--base-url", server.base_url)
    assert "is not trusted" in bad["connection"]
    assert "SSL_CERT_FILE" in bad["connection"]


def test_plain_http_at_an_https_url_is_reported(examined):
    """A server that speaks plain HTTP at an https URL is reported as such."""
    with Server() as server:
        _, bad, _ = examined("pat_x", "--base-url", server.base_url.replace("http:", "https:"))
    assert "no encrypted connection" in bad["connection"]


@pytest.mark.parametrize(
    ("name", "value", "check"),
    [
        ("HTTPS_PROXY", "htp://user:hush@proxy:1", "proxy"),
        ("https_proxy", "proxy:8080", "proxy"),
        ("SSL_CERT_FILE", "/absent.pem", "certificates"),
    ],
)
def test_unusable_variables_are_reported_without_passwords(examined, monkeypatch, name, value, check):
    """Environment variables that make connections impossible are reported without passwords, and nothing is sent."""
    monkeypatch.setenv(name, value)
    _, bad, _ = examined("pat_x")
    assert name.upper() in bad[check]


def test_unreachable_proxy_is_named_as_possible_cause(examined, monkeypatch):
    """A proxy on whose port no server listens is reported as a possible cause."""
    with Server() as server:
        address = server.base_url
    monkeypatch.setenv("HTTPS_PROXY", address.replace("http://", "http://user:hush@"))
    _, bad, report = examined("pat_x", "--base-url", "https://coze.invalid")
    assert "The proxy named above may be the cause" in bad["connection"]
    assert "…@127.0.0.1" in finding_of(report, "proxy")


def keep(cozekit, sandbox, *, refresh_token=None, age=3600):
    """Save a profile with an expired token."""
    profiles = Profiles(cozekit.folder)
    end = datetime.now(UTC) - timedelta(seconds=age)
    profiles.store.save("default", Token(access_token="czu_old", expires_at=end, refresh_token=refresh_token))
    base = {"name": "default", "base_url": sandbox.base_url, "client_id": PUBLIC_APP.client_id}
    profiles.save(Profile(method="device", **base))


def test_expired_token_is_reported_with_the_login_command(examined, cozekit, coze_sandbox):
    """A token that expired and cannot be renewed is reported with the login command."""
    keep(cozekit, coze_sandbox)
    _, bad, _ = examined()
    assert "expired at" in bad["token"]
    assert "cozekit login --device" in bad["token"]
    assert not coze_sandbox.requests


def test_rejected_refresh_token_is_reported_with_the_login_command(examined, cozekit, coze_sandbox):
    """A rejected refresh token is reported with the login command."""
    keep(cozekit, coze_sandbox, refresh_token="used")
    _, bad, _ = examined()
    assert "rejects the token request" in bad["token"]
    assert "cozekit login --device" in bad["token"]


def test_token_variable_that_overrides_a_profile_is_reported(examined, coze_sandbox, monkeypatch):
    """If both are set, COZE_API_TOKEN overrides COZE_PROFILE, and the report mentions it."""
    monkeypatch.setenv("COZE_PROFILE", "work")
    status, _, report = examined(coze_sandbox.token, "--base-url", coze_sandbox.base_url)
    assert status == 0
    assert "the profile 'work' of COZE_PROFILE is not" in finding_of(report, "token")


def test_profile_token_is_not_sent_to_another_base_url(examined, cozekit, coze_sandbox):
    """The token of a profile is not sent to a base URL other than its own."""
    keep(cozekit, coze_sandbox, refresh_token="used")
    with Server() as server:
        _, bad, _ = examined(None, "--base-url", server.base_url)
    assert "is for" in bad["token"]


def test_unknown_profile_is_reported(examined):
    """A profile that does not exist is reported as such."""
    _, bad, _ = examined(None, "--profile", "absent")
    assert "there is no profile 'absent'" in bad["token"]


def _certificate(folder):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "server.pem"
    path.write_bytes(private + certificate.public_bytes(pem))
    return path
