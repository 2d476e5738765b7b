"""What people write into notes and summaries: pictures, tables, links, scripts, entities, far too much text.

`{storage}` stands for the address of the tenant's storage; a text is finished by `finished`.
"""

_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

SUMMARY_WITH_PICTURES = (
    "<p>No cooling upstairs, see the pictures:</p>"
    '<p><img src="{storage}/images/4a6f6b2d0001/thermostat.jpg" alt="Thermostat" width="600"/></p>'
    '<p>Permit: <a href="{storage}/images/4a6f6b2d0002/permit%20form.pdf">permit form.pdf</a></p>'
)
ONLY_A_PICTURE = '<img src="{storage}/images/4a6f6b2d0003/oven.png?v=2&amp;sig=a%2Bb">'
PICTURES = (
    "<p>Condenser <b>before</b> and <i>after</i>:</p>"
    "<img src='{storage}/images/4a6f6b2d0010/before.jpg' alt='before'>"
    '<IMG SRC="{storage}/images/4a6f6b2d0011/after%20(1).jpg">'
    '<p>The maker says <a href="https://example.com/manual?a=1&amp;b=2">this</a>.</p>'
)
SAME_PICTURE_TWICE = (
    '<p>Front</p><img src="{storage}/images/4a6f6b2d0020/gate.jpg?v=1">'
    '<p>And again</p><img src="{storage}/images/4a6f6b2d0020/gate.jpg?v=2" title="Gate &quot;B&quot;">'
)
DATA_IMAGE = f'<p>Signature:</p><img src="data:image/png;base64,{_PIXEL}" alt="signature"><p>Signed.</p>'
RICH = (
    "<h2>Findings</h2><ul><li>Blower <b>dirty</b></li><li>Filter <u>missing</u></li></ul>"
    "<table><tr><th>Part</th><th>Price</th></tr><tr><td>Capacitor</td><td>$ 38.50</td></tr></table>"
    "<script>alert('x')</script><style>p { color: red }</style>"
    '<p style="color:red" onclick="steal()">Call <a href="javascript:alert(1)">me</a> or '
    '<a href="tel:+16025550100">the office</a></p><ol><li>First</li><li>Second</li></ol>'
)
ENTITIES = "<p>2 &lt; 3 &amp;&amp; 5 &gt; 4&nbsp;&mdash; &#8220;ok&#8221; &copy; caf&eacute; &amp;amp;</p>"
LINES = "First line\nSecond line\r\n\r\nFourth <line> & more\n\ttabbed  twice"


def very_long() -> str:
    """More than 200,000 characters, no two paragraphs alike, in several scripts."""
    return "".join(
        f"<p>{at}. Checked unit {at % 37} – pressure {at * 7 % 311} psi, óleo и масло, 点検 {at} 🔧</p>"
        for at in range(3_000)
    )


def finished(text: str, storage: str) -> str:
    """The text with the storage's address in its links."""
    return text.replace("{storage}", storage)


def picture_note(image: str, looks: int, storage: str) -> str:
    """A technician's note with one picture or a linked file; `image` names it."""
    kinds = (
        f'<p>Photo of the unit</p><img src="{storage}/images/{image}/unit.jpg">',
        f'<p>Serial plate: <img src="{storage}/images/{image}/plate.png" alt="plate"/> done</p>',
        f'<p>Quote is <a href="{storage}/images/{image}/quote.pdf">here</a></p>',
    )
    return kinds[looks % len(kinds)]
