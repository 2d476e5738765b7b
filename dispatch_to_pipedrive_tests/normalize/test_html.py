import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch_to_pipedrive.normalize.html import safe_html, visible
from dispatch_to_pipedrive.normalize.sources import SourceHosts
from dispatch_to_pipedrive.normalize.split import LIMIT, parts

HOSTS = SourceHosts("http://127.0.0.1:8123", ("files.example.com", ".cdn.example.net"))
REMOVED = "(link into Dispatch Pro removed)"
KEPT = {"p", "br", "b", "strong", "i", "em", "u", "a", "ul", "ol", "li"}
LEADS = re.compile(
    r"(?:[/\\]{2}|%2f)(?:[^\s/\\<>\"']*@)?[a-z0-9_.-]*(?:(?<![\w-])servicetitan\.(?:com|io)"
    r"|(?<![\w.-])127\.0\.0\.1:8123|(?<![\w.-])files\.example\.com|(?<![\w-])cdn\.example\.net)(?![\w.-])",
    re.IGNORECASE,
)
PIECES = [
    *(
        "https://",
        "http:",
        "//",
        "\\\\",
        "api.",
        "go.",
        "servicetitan.com",
        "servicetitan.io",
        "127.0.0.1:8123",
    ),
    *(
        "files.example.com",
        "x.cdn.example.net",
        "/",
        "/a.jpg",
        "/images/",
        "%2F",
        "%3A",
        "?u=",
        "#",
        "@",
        "user:pw@",
    ),
    *(
        "https%3A%2F%2F",
        ":443",
        ".",
        " ",
        "\n",
        "\t",
        "<b>",
        "</b>",
        "<p>",
        "</p>",
        '<a href="',
        "<a href='",
        '">',
    ),
    *(
        "<img src='",
        "'>",
        "<img src=",
        ">",
        "<",
        "</a>",
        "<ul>",
        "<li>",
        "</ul>",
        "<table><tr><td>",
        "</td>",
        "<br>",
    ),
    *(
        "<script>",
        "</script>",
        "<!--",
        "-->",
        "&amp;",
        "&#58;",
        "&#x2f;",
        "&lt;",
        "data:image/png;base64,AA==",
    ),
    *(
        "javascript:",
        "日本",
        "\u202e",
        "\x00",
        "<h1>",
        "</h1>",
        "<pre>",
        "<div>",
        "</div>",
        "word",
        "<svg>",
        "。",
    ),
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=25).map("".join)


class Reading(HTMLParser):
    """Reads HTML that must be safe and well-formed: its links, and its text in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.opened == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in KEPT
        assert [name for name, _ in attrs] == (["href"] if tag == "a" else [])
        assert tag not in ("p", "a") or tag not in self.opened
        self.links += [str(value) for _, value in attrs]
        if tag != "br":
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.opened.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.promise("R056")
@settings(max_examples=250, deadline=None)
@given(TEXTS)
def test_whatever_the_text_no_address_of_the_source_is_left(text: str) -> None:
    safe = safe_html(text, HOSTS)
    read = Reading(safe.html)
    ours = {f"file:{image.role}" for image in safe.images}
    assert {link for link in read.links if link.startswith("file:")} <= ours
    assert not any(LEADS.search(link) for link in read.links)
    assert not LEADS.search(visible(safe.html))


@pytest.mark.promise("R023")
@settings(max_examples=120, deadline=None)
@given(TEXTS, st.integers(60, 200))
def test_the_parts_of_a_text_are_the_text(text: str, limit: int) -> None:
    html = safe_html(text, HOSTS).html
    assert "".join(Reading(part).text for part in parts(html, limit)) == Reading(html).text


def test_parts_hold_what_pipedrive_takes_and_end_at_blocks() -> None:
    html = "".join(f"<p>{number} <b>{'é' * 400}</b></p>" for number in range(400))
    found = parts(html)
    assert len(found) == 4
    assert all(len(part.encode()) <= LIMIT and part.endswith("</p>") for part in found)
    assert "".join(found) == html
    assert parts("<ul><li>one two three</li></ul>", 30) == [
        "<ul><li>one two </li></ul>",
        "<ul><li>three</li></ul>",
    ]
    assert parts("日" * 500, 600) == ["日" * 192, "日" * 192, "日" * 116]


@pytest.mark.promise("R023")
def test_tags_that_fill_a_part_by_themselves_end_it() -> None:
    html = f'<p><b><i><a href="file:job_note:1/image-{0:012x}">one two</a></i></b> three</p>'
    assert "".join(Reading(part).text for part in parts(html, 60)) == "one two three"


def test_an_address_too_long_for_a_part_is_text() -> None:
    address = f"https://example.com/?q={'x' * 200_000}"
    found = parts(safe_html(f'<p><a href="{address}">here</a> and there</p>', HOSTS).html)
    assert "".join(Reading(part).text for part in found) == f"here {address} and there"
    assert all(len(part.encode()) <= LIMIT for part in found)


def test_many_links_to_files_leave_room_for_their_addresses() -> None:
    html = "".join(f'<p><a href="file:job_note:1/image-{n:012x}">{n}.jpg</a></p>' for n in range(1_000))
    assert len(parts(html)) == 4


@pytest.mark.parametrize(
    ("text", "html"),
    [
        (
            "a\nb & c < d\n\nx <3 <jane@x.example>",
            "a<br>b &amp; c &lt; d<br><br>x &lt;3 &lt;jane@x.example&gt;",
        ),
        ("AT&amp;T", "AT&amp;T"),
        ("one <b>two</b>\nthree", "one <b>two</b><br>three"),
        ("<div><div>a</div>b</div>c", "<p>a</p><p>b</p><p>c</p>"),
        ("<h2>Head</h2>text<br>more", "<p><b>Head</b></p><p>text<br>more</p>"),
        ("<table><tr><th>A<th>B<tr><td>1<td>2</table>", "<p>A | B</p><p>1 | 2</p>"),
        ("<ul><li>1<li>2<ul><li>x</ul></ul>z", "<ul><li>1</li><li>2<ul><li>x</li></ul></li></ul><p>z</p>"),
        ("<pre>a\n  b</pre>", "<p>a<br>b</p>"),
        ("<script>alert(1)</script><p onclick=x style=y>a</p>", "<p>a</p>"),
        ("<script>no end", "&lt;script&gt;no end"),
        ('<a href="javascript:x">a</a><a href="file:job:1/x">b</a>', "ab"),
        ('<a href="https://x.example/?a=1&b=2">a</a>', '<a href="https://x.example/?a=1&amp;b=2">a</a>'),
        (
            '<img src="https://x.example/a.png">',
            '<a href="https://x.example/a.png">https://x.example/a.png</a>',
        ),
        ('<img src="cid:1" alt="Logo">', "Logo"),
        (
            '<img src="cid:1" alt="Front"><img src="https://x.example/" alt="Back"><img src="cid:2"> x',
            'Front <a href="https://x.example/">Back</a> image x',
        ),
        ("<p> </p><b></b>", ""),
        (
            "we use servicetitan.com, ask help@servicetitan.com",
            "we use servicetitan.com, ask help@servicetitan.com",
        ),
    ],
)
def test_a_text_is_kept_within_what_pipedrive_takes(text: str, html: str) -> None:
    safe = safe_html(text, HOSTS)
    assert (safe.html, safe.images) == (html, ())


@pytest.mark.promise("R056")
@pytest.mark.parametrize(
    ("text", "html"),
    [
        ('<a href="https://go.servicetitan.com/#/Job/1">Job 1</a>', f"Job 1 {REMOVED}"),
        ("see https://go.servicetitan.com/#/Job/1.", f"see {REMOVED}."),
        ("see go.servicetitan.com/#/Job/1", f"see {REMOVED}"),
        ("https://x.example/?u=https%3A%2F%2Fgo.servicetitan.com%2Fx here", f"{REMOVED} here"),
        ('<a href="https://x.example/?u=https%253A%252F%252Fgo.servicetitan.com">a</a>', f"a {REMOVED}"),
        ('<a href="//API.ServiceTitan.io./x">a</a>', f"a {REMOVED}"),
        ("https://<b>servicetitan.com</b>/x", REMOVED),
        ('<a href="https://api.servicetitan。io/x">a</a>', f"a {REMOVED}"),
        ('<a href="https://api.ｓervice\u00adtitan.io/x">a</a>', f"a {REMOVED}"),
        ('<a href="https://me:secret@api.servicetitan.io:8443/x">a</a>', f"a {REMOVED}"),
    ],
)
def test_a_link_into_the_source_that_is_no_file_becomes_its_text(text: str, html: str) -> None:
    safe = safe_html(text, HOSTS)
    assert (safe.html, safe.images) == (html, ())


@pytest.mark.promise("R023", "R056")
@pytest.mark.parametrize(
    ("text", "shown", "name"),
    [
        ('<img src="https://go.servicetitan.com/images/1?sig=x" alt="Pump">', "{} (Pump)", "1"),
        ("photo: https://api.servicetitan.io/a/pump%20room.jpg, new", "photo: {}, new", "pump room.jpg"),
        ('<a href="https://files.example.com/a.pdf"></a>', "{}", "a.pdf"),
        ('<img src="http://127.0.0.1:8123/x.png">', "{}", "x.png"),
        ('<img src="http://localhost:9/storage/x.png">', "{}", "x.png"),
        ('<img src="http://[::1]:9/storage/x.png">', "{}", "x.png"),
        ('<img src="/storage/x.png">', "{}", "x.png"),
        ('<img src="data:image/jpeg;base64,AA==">', "{}", "image.jpg"),
        ('<img src="https://a.b.cdn.example.net/..%2f..%2fetc/%E2%80%AE.png">', "{}", "\u202e.png"),
    ],
)
def test_a_file_of_the_source_becomes_a_link_to_ours(text: str, shown: str, name: str) -> None:
    safe = safe_html(text, HOSTS)
    (image,) = safe.images
    assert re.fullmatch("image-[0-9a-f]{12}", image.role)
    assert image.name == name
    assert safe.html == shown.format(f'<a href="file:{image.role}">{name}</a>')


def test_where_the_api_is_elsewhere_this_machine_is_none_of_its_hosts() -> None:
    safe = safe_html('<img src="http://localhost:9/x.png">', SourceHosts("https://api.example.com:8443"))
    assert (safe.html, safe.images) == ('<a href="http://localhost:9/x.png">http://localhost:9/x.png</a>', ())
    assert safe_html("https://api.example.com/a.png", SourceHosts("https://api.example.com:8443")).images


def test_one_file_has_one_key_however_its_address_is_signed() -> None:
    store = "https://files.example.com"
    same = safe_html(f'<img src="{store}/a.png?sig=1&amp;se=2"> {store}/a.png?v=3', HOSTS)
    assert len(same.images) == 1
    other = safe_html(
        f'<img src="{store}/get?id=1"><img src="{store}/get?id=2"><img src="{store}/get?id=1">', HOSTS
    )
    assert [image.source for image in other.images] == [f"{store}/get?id=1", f"{store}/get?id=2"]
    assert visible(other.html) == "get get get"  # side by side, and told apart


def test_a_link_that_shows_a_picture_is_both_files() -> None:
    safe = safe_html(
        '<a href="https://files.example.com/a.pdf"><img src="https://files.example.com/a.png"></a>', HOSTS
    )
    assert [image.name for image in safe.images] == ["a.pdf", "a.png"]
    assert visible(safe.html) == "a.png a.pdf"


@pytest.mark.parametrize(
    "text", ["<b>" * 5_000 + "x", "<script" * 5_000, "<!--" * 5_000, "<ul><li>" * 500 + "x", "%25" * 20_000]
)
def test_what_was_made_to_be_hard_to_read_is_read(text: str) -> None:
    Reading(safe_html(text, HOSTS).html)
