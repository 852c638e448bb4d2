"""Credentials and base URL, from values and from the environment."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from netgw.providers.upcloud.api import BaseUrlError, Credentials, CredentialsError, UpCloud, base_url_from_env

TOKEN = "madeup_token_for_tests_1"
PASSWORD = "madeup:password für tests"


def test_token() -> None:
    credentials = Credentials.from_env({"UPCLOUD_TOKEN": TOKEN, "UPCLOUD_USERNAME": "", "UPCLOUD_PASSWORD": ""})
    assert credentials.authorization() == f"Bearer {TOKEN}"


def test_user_name_and_password() -> None:
    credentials = Credentials.from_env({"UPCLOUD_USERNAME": "someone", "UPCLOUD_PASSWORD": PASSWORD})
    assert credentials == Credentials(username="someone", password=SecretStr(PASSWORD))
    assert credentials.authorization() == "Basic c29tZW9uZTptYWRldXA6cGFzc3dvcmQgZsO8ciB0ZXN0cw=="


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "No UpCloud credentials"),
        ({"UPCLOUD_TOKEN": ""}, "No UpCloud credentials"),
        ({"UPCLOUD_TOKEN": "t", "UPCLOUD_USERNAME": "u", "UPCLOUD_PASSWORD": "p"}, "Both UPCLOUD_TOKEN and"),
        ({"UPCLOUD_TOKEN": "t", "UPCLOUD_PASSWORD": "p"}, "Both UPCLOUD_TOKEN and"),
        ({"UPCLOUD_USERNAME": "u"}, "UPCLOUD_PASSWORD is not set"),
        ({"UPCLOUD_PASSWORD": "p"}, "UPCLOUD_USERNAME is not set"),
        ({"UPCLOUD_TOKEN": f"{TOKEN}\n"}, "a line break"),
        ({"UPCLOUD_TOKEN": "mädeup"}, "outside ASCII"),
        ({"UPCLOUD_USERNAME": "u:v", "UPCLOUD_PASSWORD": "p"}, "colon"),
    ],
)
def test_refused_environment(environ: dict[str, str], said: str) -> None:
    with pytest.raises(CredentialsError, match=said):
        Credentials.from_env(environ)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"username": "u"},
        {"password": SecretStr("p")},
        {"username": "u", "password": SecretStr("")},
        {"token": SecretStr("")},
        {"token": SecretStr("t"), "username": "u"},
    ],
)
def test_refused_values(values: dict[str, Any]) -> None:
    with pytest.raises(CredentialsError):
        Credentials(**values)


@pytest.mark.parametrize(
    ("value", "base"),
    [
        (None, "https://api.upcloud.com"),
        ("", "https://api.upcloud.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.0.0.1:8080//", "http://127.0.0.1:8080"),
        (" https://proxy.example/upcloud/\n", "https://proxy.example/upcloud"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_base_url(value: str | None, base: str) -> None:
    assert base_url_from_env({} if value is None else {"UPCLOUD_DEBUG_API_BASE_URL": value}) == base


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("127.0.0.1:8080", "not a URL"),
        ("localhost", "not a URL"),
        ("/1.3", "not a URL"),
        ("ftp://host", "not a URL with http"),
        ("http://", "not a URL with http"),
        ("http://host:port", "not a URL"),
        ("http://a..b", "not a URL"),
        ("http://host/1.3/", "without /1.3"),
        ("http://someone:secret@host", "user name or password"),
        ("http://host/?x=1", "query"),
        ("http://host/#x", "query"),
        ("http://host/a b", "a space"),
    ],
)
def test_refused_base_url(value: str, said: str) -> None:
    with pytest.raises(BaseUrlError, match=said) as caught:
        base_url_from_env({"UPCLOUD_DEBUG_API_BASE_URL": value})
    assert str(caught.value).startswith("UPCLOUD_DEBUG_API_BASE_URL: ")
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    with pytest.raises(BaseUrlError):
        UpCloud(Credentials(token=SecretStr(TOKEN)), base_url=value)


def test_requests_go_below_the_base_url(network: Any, answer: Any) -> None:
    net = network(answer(200, json={"account": {"username": "someone"}}))
    net.run(lambda cloud: cloud.get_account(), base_url="https://proxy.example/upcloud/")
    [request] = net.requests
    assert str(request.url) == "https://proxy.example/upcloud/1.3/account"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["user-agent"] == "netgw"
