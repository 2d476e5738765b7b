import pytest

from dispatch_to_pipedrive_tests.normalize.source import CREATED, Source, reasons, row

MAIL = "0123456789abcdef"


def tenant(kind: str = "Residential") -> Source:
    source = Source()
    source.customer(1, "Jane Doe", kind)
    source.location(10, 1)
    source.contact(100, 1, "MobilePhone", "(602) 555-0101")
    source.contact(101, 1, "Email", "Jane@Example.com")
    source.technician(601, "tech@example.com")
    source.job(500, 1, 10)
    source.visit(600, 500)
    source.assign(900, 600, 500, 601)
    return source


@pytest.mark.promise("R022")
def test_a_call_is_an_activity_with_its_own_time_and_duration() -> None:
    source = tenant()
    source.call(
        620, 1, 500, duration="01:02:03", agent={"id": 1, "name": "Front desk"}, **{"from": "+1 602 555 0101"}
    )
    call = row(source.normalize().activities, "call:620/activity")
    assert (call["kind"], call["stamp"], call["status"]) == ("call", "Dispatch Pro call 620", "Done")
    assert (call["start"], call["end"]) == (CREATED, "2025-10-24T16:01:45.10313Z")
    assert (call["visit_start"], call["visit_end"]) == (call["start"], call["end"])
    assert (call["direction"], call["call_from"], call["call_to"]) == (
        "Inbound",
        "+1 602 555 0101",
        "555-0900",
    )
    assert (call["agent"], call["owner_email"]) == ("Front desk", "tech@example.com")
    assert (call["deal_key"], call["organization_key"]) == ("job:500/deal", None)
    assert call["participant_keys"] == ["customer:1/person"]
    assert call["appointment_id"] is None


@pytest.mark.promise("R022")
def test_a_call_about_no_job_stands_on_its_customer() -> None:
    source = tenant("Commercial")
    source.call(620, 1, duration="1.00:00:00.5")
    source.call(621, 1, 77, duration="soon")
    made = source.normalize()
    call = row(made.activities, "call:620/activity")
    assert (call["deal_key"], call["organization_key"]) == (None, "customer:1/organization")
    assert call["end"] == "2025-10-25T14:59:42.60313Z"
    assert call["owner_email"] == "tech@example.com"  # who owns the newest job of the customer
    assert row(made.activities, "call:621/activity")["end"] is None


def test_who_called_is_found_by_the_number() -> None:
    source = tenant("Commercial")
    source.location(11, 1, "Depot")
    source.site_contact(102, 11, "Phone", "602.555.0202")
    source.person(1, 1, "First", methods=[("Phone", "602-555-0303")])
    second = source.person(2, 1, "Second", methods=[("MobilePhone", "602-555-0404")])
    numbers = {
        620: "6025550101",
        621: "16025550202",
        622: "602 555 0303",
        623: "(602) 555-0404 (cell)",
        624: "911",
    }
    for id, number in numbers.items():
        source.call(id, 1, direction="Outbound", to=number, **{"from": "555-0900"})
    made = source.normalize().activities.set_index("appointment_id")
    calls = made[made["kind"] == "call"].set_index("source_key")["participant_keys"]
    assert calls.map(list).to_dict() == {
        "call:620/activity": ["customer:1/person"],
        "call:621/activity": ["location:11/person"],
        "call:622/activity": ["customer:1/person"],
        "call:623/activity": [f"contact:{second.lower()}/person"],
        "call:624/activity": ["customer:1/person"],
    }


def test_calls_and_emails_of_nobody_are_counted_with_a_reason() -> None:
    source = tenant()
    source.call(620, None)
    source.call(621, 1, active=False)
    source.email(MAIL, None)
    made = source.normalize()
    assert set(made.activities["kind"]) == {"visit"}
    assert reasons(made, "calls") == {620: "a call of no customer in the export", 621: "deleted call"}
    left = made.not_carried[made.not_carried["feed"] == "emails"]
    assert left[["key", "reason"]].to_numpy().tolist() == [[MAIL, "an e-mail of no customer in the export"]]
    assert left["id"].isna().all()


@pytest.mark.promise("R022")
def test_an_email_is_an_activity_with_its_text() -> None:
    source = tenant()
    source.person(1, 1, "Jane")
    other = source.person(2, 1, "Bob", methods=[("Email", "bob@example.com")])
    source.email(
        MAIL,
        1,
        500,
        sender="Jane Doe <JANE@example.com>",
        recipients='"Bob" <bob@example.com>, office@us.example',
        subject="  The pump ",
        body="<p onclick=x>It <b>leaks</b></p>",
    )
    mail = row(source.normalize().activities, f"email:{MAIL}/activity")
    assert (mail["kind"], mail["stamp"], mail["status"]) == ("e-mail", f"Dispatch Pro e-mail {MAIL}", "Done")
    assert (mail["subject"], mail["body"]) == ("The pump", "<p>It <b>leaks</b></p>")
    assert (mail["start"], mail["end"], mail["direction"]) == (CREATED, None, "Inbound")
    assert mail["participant_keys"] == ["customer:1/person", f"contact:{other.lower()}/person"]
    assert mail["deal_key"] == "job:500/deal"
    assert mail["email_to"] == '"Bob" <bob@example.com>, office@us.example'


def test_what_an_email_shows_of_the_source_is_named() -> None:
    source = tenant()
    source.email(
        MAIL, 1, sender="us@us.example", subject="", body='<img src="https://go.servicetitan.com/a.png"> x'
    )
    made = source.normalize()
    mail = row(made.activities, f"email:{MAIL}/activity")
    assert mail["body"] == "a.png (link into Dispatch Pro removed) x"
    assert (mail["subject"], mail["direction"]) == ("(no subject)", "Outbound")
    left = made.not_carried[made.not_carried["feed"] == "emails.body"]
    assert list(left["key"]) == [MAIL]


def test_a_call_that_never_ended_ends_no_batch() -> None:
    source = tenant()
    source.call(620, 1, duration="10675199.02:48:05.4775807")
    call = row(source.normalize().activities, "call:620/activity")
    assert (call["start"], call["end"]) == (CREATED, "2025-11-23T14:59:42.10313Z")


def test_the_subject_of_an_email_leads_nowhere_either() -> None:
    source = tenant()
    source.email(MAIL, 1, sender="us@us.example", subject="Job https://go.servicetitan.com/#/Job/1", body="x")
    mail = row(source.normalize().activities, f"email:{MAIL}/activity")
    assert mail["subject"] == "Job (link into Dispatch Pro removed)"


def test_a_file_in_a_text_that_has_no_files_of_its_own_is_counted() -> None:
    source = tenant()
    plan = "see https://go.servicetitan.com/files/plan.pdf"
    source.visit(601, 500, specialInstructions=plan)
    source.visit(602, 500, specialInstructions="see https://go.servicetitan.com/#/Job/1")
    source.job(509, 1, status="Canceled")
    for number, memo in ((1, "https://go.servicetitan.com/files/old.pdf"), (2, plan)):
        source.add("job_canceled_logs", number, jobId=509, reasonId=5, memo=memo)
    made = source.normalize()
    assert row(made.deals, "job:509/deal")["cancel_memo"] == "see (link into Dispatch Pro removed)"
    left = made.not_carried[made.not_carried["reason"] == "a file linked in the text"]
    assert list(zip(left["feed"], left["id"], strict=True)) == [
        ("appointments.special_instructions", 601),
        ("job_canceled_logs.memo", 2),
    ]


def test_instructions_of_a_visit_lose_their_links_into_the_source_only() -> None:
    source = tenant()
    source.visit(601, 500, specialInstructions="Gate 5 &  dog\r\nhttps://go.servicetitan.com/#/Job/1")
    source.visit(602, 500, specialInstructions=" 50% off \r\n")
    made = source.normalize().activities.set_index("appointment_id")["special_instructions"]
    assert made[601] == "Gate 5 &  dog\r\n(link into Dispatch Pro removed)"
    assert made[602] == " 50% off \r\n"
