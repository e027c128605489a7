"""The pages on which people allow apps, as they see them in a browser."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from coze_sandbox import PUBLIC_APP, WEB_APP, OAuthApp, Sandbox
from tests._chromium import Chromium, needs_chromium
from tests.sandbox.oauth._apps import BASE, DEVICE, TOKEN, bearer, by_code, refused


@pytest.fixture(scope="module")
def running_chromium(tmp_path_factory):
    """Run one browser for all tests here."""
    with Chromium(tmp_path_factory.mktemp("chromium")) as chromium:
        yield chromium


@pytest.fixture
def chromium(running_chromium):
    """Give the browser, and check that nothing was complained of and nothing came from elsewhere."""
    running_chromium.requested.clear()
    running_chromium.console.clear()
    yield running_chromium
    assert [text for text in running_chromium.console if "favicon" not in text and "404" not in text] == []
    assert {urlsplit(url).hostname for url in running_chromium.requested} <= {"127.0.0.1"}


@pytest.fixture
def public(coze_sandbox):
    """Give a client without a token."""
    with httpx.Client(base_url=coze_sandbox.base_url) as http:
        yield http


def address(sandbox, **changes):
    """Return where an app sends a browser. It comes back to the sandbox, where a page is."""
    query = {
        "response_type": "code",
        "client_id": WEB_APP.client_id,
        "redirect_uri": f"{sandbox.base_url}/device",
        "state": "a b&c",
        **changes,
    }
    return f"{sandbox.base_url}{BASE}/authorize?{urlencode(query)}"


def brought_back(chromium):
    chromium.until("location.pathname == '/device'")
    return {name: values[0] for name, values in parse_qs(urlsplit(chromium.url).query).items()}


@needs_chromium
def test_allow(chromium, coze_sandbox, public):
    """The page shows which app requests access and where the code is sent; after a click on Allow the app gets a code
    and its state.
    """
    chromium.open(address(coze_sandbox))
    assert urlsplit(chromium.url).path == "/oauth/consent"
    for expected in ("Allow Sandbox web app to use Coze?", "Sandbox Owner", urlsplit(coze_sandbox.base_url).netloc):
        assert expected in chromium.text
    chromium.click("[value=allow]")
    answer = brought_back(chromium)
    assert answer.keys() == {"code", "state"}
    assert answer["state"] == "a b&c"
    body = by_code(answer["code"], redirect_uri=f"{coze_sandbox.base_url}/device")
    assert "access_token" in public.post(TOKEN, json=body, headers=bearer()).json()


@needs_chromium
def test_deny_by_keyboard(chromium, coze_sandbox):
    """The buttons can be reached without a mouse, and Deny brings access_denied and no code."""
    chromium.open(address(coze_sandbox))
    chromium.press("Tab")
    chromium.press("Tab")
    assert chromium.evaluate("document.activeElement.value") == "deny"
    chromium.press("Enter")
    answer = brought_back(chromium)
    assert (answer["error"], answer["state"]) == ("access_denied", "a b&c")
    assert "code" not in answer


@needs_chromium
def test_page_of_a_used_key(chromium, coze_sandbox):
    """Going back to the page after the decision shows that nothing waits any more."""
    chromium.open(address(coze_sandbox))
    page = chromium.url
    chromium.click("[value=allow]")
    brought_back(chromium)
    chromium.open(page)
    assert "No request is pending for this code" in chromium.text


@needs_chromium
def test_device(chromium, coze_sandbox, public):
    """A person types in the code that the device shows, in any spelling, and allows."""
    begun = public.post(f"{BASE}/device/code", json={"client_id": PUBLIC_APP.client_id}).json()
    chromium.open(begun["verification_uri"])
    # Browsers focus a field with the first frame, which may come after the page is complete.
    chromium.until("document.querySelector('label').htmlFor == document.activeElement.id")
    chromium.type("#user_code", begun["user_code"].lower().replace("-", " "))
    chromium.press("Enter")
    chromium.until("document.querySelector('[value=allow]')")
    assert begun["user_code"] in chromium.text
    chromium.click("[value=allow]")
    chromium.until("document.title == 'The device is connected'")
    body = {"grant_type": DEVICE, "client_id": PUBLIC_APP.client_id, "device_code": begun["device_code"]}
    assert "access_token" in public.post(TOKEN, json=body).json()


@needs_chromium
def test_device_with_the_code_in_the_address(chromium, coze_sandbox, public):
    """With the code in the address a person need not type, and can refuse."""
    begun = public.post(f"{BASE}/device/code", json={"client_id": PUBLIC_APP.client_id}).json()
    chromium.open(f"{begun['verification_uri']}?user_code={begun['user_code']}")
    chromium.click("[value=deny]")
    chromium.until("document.title == 'The device was refused'")
    body = {"grant_type": DEVICE, "client_id": PUBLIC_APP.client_id, "device_code": begun["device_code"]}
    assert refused(public.post(TOKEN, json=body)) == (400, "access_denied")


@needs_chromium
def test_wrong_code(chromium, coze_sandbox):
    """A wrong code is shown in an alert, and another can be typed in."""
    chromium.open(f"{coze_sandbox.base_url}/device?user_code=AAAA-AAAA")
    assert "wrong" in chromium.evaluate("document.querySelector('[role=alert]').innerText")
    assert chromium.evaluate("document.querySelector('#user_code').labels.length") == 1


def test_headers_of_the_page(public, coze_sandbox):
    """The page may load nothing, be framed nowhere and be sent nowhere but to the sandbox and back to the app."""
    response = public.get(address(coze_sandbox, redirect_uri="https://app.example.com/callback"), follow_redirects=True)
    policy = response.headers["content-security-policy"]
    for part in ("default-src 'none'", "form-action 'self' https://app.example.com;", "frame-ancestors 'none'"):
        assert part in policy
    assert response.headers["cache-control"] == "no-store"


def test_names_are_text():
    """The name of an app is shown as it is, and never as markup."""
    app = OAuthApp(client_id="1.app.coze", kind="web", name="<script>x</script>", redirect_uris=("http://localhost",))
    with Sandbox(oauth_apps=(app,)) as sandbox:
        link = address(sandbox, client_id=app.client_id, redirect_uri="http://localhost/x")
        page = httpx.get(link, follow_redirects=True)
        assert "&lt;script&gt;x" in page.text
        assert "<script>" not in page.text


def test_forms_of_other_sites(public, coze_sandbox):
    """A form that another site sends is ignored; one without a decision shows the page again; other methods are
    refused.
    """
    begun = public.post(f"{BASE}/device/code", json={"client_id": PUBLIC_APP.client_id}).json()
    form = {"key": begun["user_code"], "decision": "allow"}
    evil = {"Origin": "https://evil.example.com"}
    assert public.post("/device", data=form, headers=evil).status_code == 403
    assert "Allow Sandbox desktop app" in public.post("/device", data={"key": begun["user_code"]}).text
    assert len(coze_sandbox.oauth.waiting()) == 1
    assert public.post("/device", data={"key": "x", "decision": "allow"}).status_code == 404
    assert public.put("/device").status_code == 405


def test_waits_ten_minutes(public, coze_sandbox):
    """The page of a browser is worth nothing after ten minutes."""
    page = public.get(address(coze_sandbox)).headers["location"]
    coze_sandbox.clock.advance(601)
    assert public.get(page).status_code == 404
    assert coze_sandbox.oauth.waiting() == []
