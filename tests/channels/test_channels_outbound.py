"""The one outbound client reaches public servers and named internal ones, and nothing else."""

import datetime as dt
import gzip
import ipaddress
import socket
import ssl
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standin_server import DROP, Answer, Asked, free_port, standing_in

from folkmoot.channels.addresses import find_refusal
from folkmoot.channels.outbound import Outbound, OutboundError

HOSTILE_URLS = [
    # encodings of loopback
    "https://127.0.0.1/",
    "https://127.1/",
    "https://0/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.0.0.1./",
    "https://127。0。0。1/",
    "https://①②⑦.⓪.⓪.①/",
    "https://localhost/",
    "https://LOCALHOST/",
    "https://localhost./",
    # other inner addresses
    "https://0.0.0.0/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.100.100.200/",
    "https://169.254.169.254/latest/meta-data/",
    "https://168.63.129.16/",
    "https://192.0.0.8/",
    "https://192.88.99.1/",
    "https://255.255.255.255/",
    # IPv6 in all its clothes
    "https://[::1]/",
    "https://[::]/",
    "https://[::127.0.0.1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:0:127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b:1::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:7f00:1::]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25lo]/",
    "https://[fec0::1]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[5f00::1]/",
    "https://[ff02::1]/",
    "https://[100::1]/",
    # read differently by different programs
    "https://example.org@127.0.0.1/",
    "https://127.0.0.1\\@example.org/",
    "https://example.org:443@127.0.0.1:443/",
    "https://127.0.0.1%2f@example.org/",
    "https://exa mple.org/",
    "https://exam\tple.org/",
    "https://example.org\r\nHost: inner/",
    "https:///127.0.0.1/",
    "https:127.0.0.1",
    "//127.0.0.1/",
    # not https, or not its port
    "http://example.org/",
    "https://example.org:8443/",
    "https://example.org:22/",
    "https://example.org:99999/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_INFO",
    "ftp://example.org/",
    "data:text/plain,hello",
    "",
]


@pytest.mark.parametrize("url", HOSTILE_URLS)
def test_a_hostile_address_is_refused_and_nothing_is_sent(url, monkeypatch):
    def connect(*args, **kwargs):
        raise AssertionError(f"tried to connect to {args}")

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(OutboundError) as caught:
        Outbound(timeout_seconds=2).request("GET", url)
    assert caught.value.sent is False
    assert caught.value.reason.endswith(".")


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "1.1.1.1", "151.101.0.81", "2606:4700:4700::1111", "2a00:1450:4009::1"],
)
def test_public_addresses_are_not_refused(address):
    assert find_refusal(address) is None


@given(st.ip_addresses(v=6))
@settings(max_examples=300)
def test_no_ipv6_address_outside_2000_slash_3_is_public(address):
    if address not in ipaddress.ip_network("2000::/3"):
        assert find_refusal(str(address)) is not None


@given(st.ip_addresses())
@settings(max_examples=300)
def test_what_python_itself_calls_not_global_is_refused_here_too(address):
    if not address.is_global or address.is_multicast:
        assert find_refusal(str(address)) is not None


@pytest.mark.parametrize("text", ["", "localhost", "fe80::1%lo", "127.1", "1.2.3.4.5"])
def test_what_is_no_plain_address_is_refused(text):
    assert find_refusal(text) is not None


def always(*addresses):
    def resolve(host, port):
        return list(addresses)

    return resolve


def test_a_name_with_one_public_and_one_inner_address_is_refused():
    outbound = Outbound(resolve=always("93.184.215.14", "10.0.0.5"))
    with pytest.raises(OutboundError, match=r"10\.0\.0\.5 is not a public address") as caught:
        outbound.request("GET", "https://mixed.example.org/")
    assert caught.value.sent is False


def test_the_name_is_resolved_once_and_exactly_that_address_is_connected_to(monkeypatch):
    """A name that changes its answer after the check (rebinding) gains nothing."""
    answers = [["93.184.215.14"], ["127.0.0.1"], ["127.0.0.1"]]
    resolved, connected = [], []

    def resolve(host, port):
        resolved.append(host)
        return answers.pop(0)

    def connect(address, timeout=None):
        connected.append(address)
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(OutboundError, match="Connection refused") as caught:
        Outbound(resolve=resolve).request("POST", "https://rebinding.example.org/", body=b"x")
    assert resolved == ["rebinding.example.org"]
    assert connected == [("93.184.215.14", 443)]
    assert caught.value.sent is False


def test_where_the_first_address_does_not_accept_the_next_is_tried():
    with standing_in(Answer(body=b"here")) as server:
        outbound = Outbound(
            allow=[f"two.example:{server.port}"], resolve=always("::1", "127.0.0.1")
        )
        assert outbound.request("GET", f"http://two.example:{server.port}/").body == b"here"
        assert server.asked[0].headers["host"] == f"two.example:{server.port}"


def test_an_internal_server_is_asked_only_where_host_and_port_are_allowed():
    with standing_in(Answer(body=b"inside")) as server:
        answer = Outbound(allow=[server.allow]).request("GET", server.url + "/a?b=c")
        assert (answer.status, answer.body) == (200, b"inside")
        assert server.asked == [Asked("GET", "/a?b=c", server.asked[0].headers, b"")]
        for allow in ([], [f"127.0.0.1:{server.port}"], [f"localhost:{server.port + 1}"]):
            with pytest.raises(OutboundError) as caught:
                Outbound(allow=allow).request("GET", server.url)
            assert caught.value.sent is False
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    "entry", ["localhost", "localhost:", "http://localhost:80", "a b:1", ":80"]
)
def test_an_allowed_server_that_is_not_host_and_port_is_an_error(entry):
    with pytest.raises(ValueError, match="host:port"):
        Outbound(allow=[entry])


def test_a_proxy_of_the_environment_is_not_used(monkeypatch):
    with (
        standing_in(Answer(body=b"proxy")) as proxy,
        standing_in(Answer(body=b"server")) as server,
    ):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert Outbound(allow=[server.allow]).request("GET", server.url).body == b"server"
        assert proxy.asked == []


def test_a_redirect_to_loopback_is_refused_and_counts_as_sent():
    with standing_in(Answer(body=b"secret")) as inner:
        target = inner.url
        with standing_in(Answer(302, headers={"Location": target})) as server:
            with pytest.raises(OutboundError) as caught:
                Outbound(allow=[server.allow]).request("GET", server.url)
            assert caught.value.sent is True
        assert inner.asked == []


@pytest.mark.parametrize(
    "target",
    ["https://[::1]/", "https://2130706433/", "file:///etc/passwd", "//127.0.0.1/", "\\\\x"],
)
def test_every_hop_of_a_redirect_is_checked(target):
    def say(asked):
        return Answer(302, headers={"Location": "/second" if asked.path == "/" else target})

    with standing_in(say) as server:
        with pytest.raises(OutboundError):
            Outbound(allow=[server.allow]).request("GET", server.url + "/")
        assert [asked.path for asked in server.asked][:2] == ["/", "/second"]


def test_three_redirects_are_followed_and_a_fourth_is_not():
    def say(asked):
        step = int(asked.path.strip("/"))
        return (
            Answer(body=b"done") if step == 0 else Answer(302, headers={"Location": f"/{step - 1}"})
        )

    with standing_in(say) as server:
        outbound = Outbound(allow=[server.allow])
        assert outbound.request("GET", server.url + "/3").body == b"done"
        with pytest.raises(OutboundError, match="more than 3 times"):
            outbound.request("GET", server.url + "/4")


def test_the_callers_headers_go_no_further_than_the_server_they_were_meant_for():
    with standing_in(Answer(body=b"other")) as other:
        target = other.url
        with standing_in(Answer(307, headers={"Location": target})) as server:
            outbound = Outbound(allow=[server.allow, other.allow])
            outbound.request("GET", server.url, {"Authorization": "Bearer token"})
            assert server.asked[0].headers["authorization"] == "Bearer token"
            assert "authorization" not in other.asked[0].headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_of_a_post_is_given_back_and_never_followed(status):
    with standing_in(Answer(status, headers={"Location": "/again"})) as server:
        answer = Outbound(allow=[server.allow]).request("POST", server.url, body=b"once")
        assert answer.status == status
        assert [(asked.method, asked.body) for asked in server.asked] == [("POST", b"once")]


def drip(pieces):
    for piece in pieces:
        yield piece
        time.sleep(0.1)


@pytest.mark.parametrize(
    "pieces",
    [
        [b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"] + [b"x"] * 100,
        [bytes([byte]) for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 100],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"] + [b"1\r\nx\r\n"] * 100,
    ],
    ids=["in the body", "in the headers", "in chunks"],
)
def test_a_server_that_drips_is_left_when_the_time_is_up(pieces):
    with standing_in(drip(pieces)) as server:
        started = time.monotonic()
        with pytest.raises(OutboundError, match=r"did not answer within 0\.5 seconds") as caught:
            Outbound(allow=[server.allow], timeout_seconds=0.5).request("GET", server.url)
        assert time.monotonic() - started < 1.5
        assert caught.value.sent is True


def test_a_resolver_that_hangs_is_left_when_the_time_is_up():
    def resolve(host, port):
        time.sleep(3)
        return ["93.184.215.14"]

    started = time.monotonic()
    with pytest.raises(OutboundError, match="took too long") as caught:
        Outbound(resolve=resolve, timeout_seconds=0.2).request("GET", "https://example.org/")
    assert time.monotonic() - started < 1.5
    assert caught.value.sent is False


@pytest.mark.parametrize("chunked", [False, True])
def test_an_answer_that_is_too_large_is_left(chunked):
    def say(asked):
        if not chunked:
            return Answer(body=b"x" * 100_000)
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        return [head] + [b"400\r\n" + b"x" * 1024 + b"\r\n"] * 1000

    with standing_in(say) as server:
        with pytest.raises(OutboundError, match="more than 50,000 bytes") as caught:
            Outbound(allow=[server.allow], max_bytes=50_000).request("GET", server.url)
        assert caught.value.sent is True


def test_a_packed_answer_is_refused_so_that_a_small_one_cannot_grow():
    bomb = gzip.compress(b"0" * 1_000_000)
    with standing_in(Answer(200, bomb, {"Content-Encoding": "gzip"})) as server:
        with pytest.raises(OutboundError, match="packed"):
            Outbound(allow=[server.allow]).request("GET", server.url)
        assert server.asked[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "answer",
    [DROP, b"rubbish\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort", b"\x00" * 64],
    ids=["nothing", "no HTTP", "cut short", "zeros"],
)
def test_a_connection_that_breaks_after_the_request_counts_as_sent(answer):
    with standing_in(answer) as server:
        with pytest.raises(OutboundError, match="broke off") as caught:
            Outbound(allow=[server.allow]).request("POST", server.url, body=b"post")
        assert caught.value.sent is True


def test_a_refused_connection_counts_as_not_sent():
    port = free_port()
    with pytest.raises(OutboundError, match="Connection refused") as caught:
        Outbound(allow=[f"localhost:{port}"]).request(
            "POST", f"http://localhost:{port}/", body=b"x"
        )
    assert caught.value.sent is False


def test_an_unknown_name_counts_as_not_sent():
    def resolve(host, port):
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(OutboundError, match="no server called") as caught:
        Outbound(resolve=resolve).request("POST", "https://nowhere.example.org/", body=b"x")
    assert caught.value.sent is False


def test_a_certificate_nobody_vouches_for_is_refused_before_anything_is_sent(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    _self_signed(key, certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        seen = []

        def serve():
            connection, _ = listening.accept()
            with connection:
                try:
                    wrapped = context.wrap_socket(connection, server_side=True)
                    seen.append(wrapped.recv(100))
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        port = listening.getsockname()[1]
        with pytest.raises(OutboundError, match="its certificate is wrong") as caught:
            Outbound(allow=[f"localhost:{port}"]).request(
                "POST", f"https://localhost:{port}/", body=b"secret"
            )
        thread.join()
        assert caught.value.sent is False
        assert b"secret" not in b"".join(seen)


def _self_signed(key, certificate):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def test_a_token_in_an_answer_does_not_reach_a_log_by_its_repr():
    with standing_in(Answer(body=b"token-123")) as server:
        assert "token-123" not in repr(Outbound(allow=[server.allow]).request("GET", server.url))


def test_what_is_asked_within_a_time_ends_by_then_and_is_not_begun_after():
    from folkmoot.channels.outbound import seconds_left, within

    def drip(_):
        for _ in range(40):
            time.sleep(0.05)
            yield b"x"

    assert seconds_left() is None
    with standing_in(drip) as server:
        client = Outbound(allow=[server.allow], timeout_seconds=20)
        with within(0.2):
            began = time.monotonic()
            with pytest.raises(OutboundError):
                client.request("GET", server.url)
            assert time.monotonic() - began < 2
            with pytest.raises(OutboundError, match="was over before it could be asked") as fault:
                client.request("GET", server.url)
            assert not fault.value.sent
            assert len(server.asked) == 1
        assert seconds_left() is None
