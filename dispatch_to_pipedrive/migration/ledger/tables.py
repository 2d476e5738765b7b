"""Which tables the ledger has.

Every row that concerns the destination bears the account (Pipedrive company id) and, where source keys
stand, the tenant. Times are UTC ISO-8601 text; JSON stands as text, exactly as it was hashed.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

binding = Table(
    "binding",
    metadata,
    Column("account", String, primary_key=True),
    Column("tenant", String, nullable=False),
    Column("company", String, nullable=False),
    Column("bound_at", String, nullable=False),
)

door = Table(
    "door",
    metadata,
    Column("door", String, primary_key=True),
    Column("account", String, nullable=False),
    Column("met_at", String, nullable=False),
)

generation = Table(
    "generation",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("committed_at", String, nullable=False),
    Column("rows", BigInteger, nullable=False),
)

segment = Table(
    "segment",
    metadata,
    Column("path", String, primary_key=True),
    Column("generation", Integer, ForeignKey("generation.number"), nullable=False, index=True),
    Column("feed", String, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String, nullable=False),
)

cursor = Table(
    "cursor",
    metadata,
    Column("feed", String, primary_key=True),
    Column("value", Text, nullable=False),
    Column("advanced_at", String, nullable=False),
)

poll = Table(
    "poll",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("feed", String, nullable=False, index=True),
    Column("began_at", String, nullable=False),
    Column("at", String, nullable=False),
    Column("drained", Boolean, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("whole_since", String, nullable=False),
    Column("ended_at", String, nullable=False),
)

manifest = Table(
    "manifest",
    metadata,
    Column("key", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("generation_from", Integer, nullable=False),
    Column("generation_to", Integer, nullable=False),
    Column("roots", Text, nullable=False),
    Column("records", BigInteger, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("planned_at", String, nullable=False),
)

link = Table(
    "link",
    metadata,
    Column("account", String, primary_key=True),
    Column("tenant", String, primary_key=True),
    Column("entity", String, primary_key=True),
    Column("source_key", String, primary_key=True),
    Column("pipedrive_id", BigInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("root", BigInteger, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("digest", String, nullable=False),
)
Index("link_root", link.c.account, link.c.tenant, link.c.entity, link.c.root)
Index("link_pipedrive_id", link.c.account, link.c.entity, link.c.pipedrive_id)

operation = Table(
    "operation",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("event", String, nullable=False),
    Column("intent", BigInteger, nullable=True, index=True),
    Column("account", String, nullable=False),
    Column("verb", String, nullable=False),
    Column("entity", String, nullable=False),
    Column("source_key", String, nullable=False),
    Column("pipedrive_id", BigInteger, nullable=True),
    Column("root", BigInteger, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("status", String, nullable=False),
    Column("body", Text, nullable=True),
    Column("before", Text, nullable=True),
    Column("echo", Text, nullable=True),
    Column("words", Text, nullable=True),
    Column("tokens", Integer, nullable=False),
    Column("run", String, nullable=False),
    Column("batch", String, nullable=False),
    Column("at", String, nullable=False),
    Column("server_date", String, nullable=True),
    Column("undoes", BigInteger, nullable=True),
)
Index("operation_record", operation.c.account, operation.c.entity, operation.c.source_key)
Index("operation_batch", operation.c.account, operation.c.batch, operation.c.root)

# The two lines that each write has among the operations.
intent, outcome = operation.alias("i"), operation.alias("o")

chain = Table(
    "chain",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("hash", String, nullable=False),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("account", String, primary_key=True),
    Column("tenant", String, primary_key=True),
    Column("entity", String, primary_key=True),
    Column("source_key", String, primary_key=True),
    Column("reason", String, nullable=False),
    Column("words", Text, nullable=False),
    Column("digest", String, nullable=False),
    Column("batch", String, nullable=False),
    Column("root", BigInteger),
    Column("at", String, nullable=False),
)

kept_edit = Table(
    "kept_edit",
    metadata,
    Column("account", String, primary_key=True),
    Column("tenant", String, primary_key=True),
    Column("entity", String, primary_key=True),
    Column("source_key", String, primary_key=True),
    Column("field", String, primary_key=True),
    Column("verdict", String, primary_key=True),
    Column("pipedrive_id", BigInteger, nullable=False),
    Column("ours", Text, nullable=False),
    Column("theirs", Text, nullable=False),
    Column("edited_by", String, nullable=True),
    Column("edited_at", String, nullable=False),
    Column("batch", String, nullable=False),
    Column("seen_at", String, nullable=False),
)

token_usage = Table(
    "token_usage",
    metadata,
    Column("account", String, primary_key=True),
    Column("day", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("tokens", BigInteger, nullable=False),
)

write_count = Table(
    "write_count",
    metadata,
    Column("account", String, primary_key=True),
    Column("session", String, primary_key=True),
    Column("run", String, nullable=False),
    Column("writes", BigInteger, nullable=False),
    Column("whole", Boolean, nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("account", String, primary_key=True),
    Column("owner", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("host", String, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("process_started", Float, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("expires", Float, nullable=False),
    Column("heartbeat", Float, nullable=False),
)

reader = Table(
    "reader",
    metadata,
    Column("account", String, primary_key=True),
    Column("owner", String, primary_key=True),
    Column("expires", Float, nullable=False),
)

capability = Table(
    "capability",
    metadata,
    Column("account", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("granted", Boolean, nullable=False),
    Column("learnt_at", String, nullable=False),
)

schema_object = Table(
    "schema_object",
    metadata,
    Column("account", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("entity", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("code", String, nullable=False),
    Column("field_type", String, nullable=False),
    Column("source", String, primary_key=True),
)

account_user = Table(
    "account_user",
    metadata,
    Column("account", String, primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("email", String, nullable=False),
    Column("name", String, nullable=False),
    Column("active", Boolean, nullable=False),
)

proven_file = Table(
    "proven_file",
    metadata,
    Column("account", String, primary_key=True),
    Column("pipedrive_id", BigInteger, primary_key=True, autoincrement=False),
    Column("sha256", String, nullable=False),
    Column("at", String, nullable=False),
)

technician_owner = Table(
    "technician_owner",
    metadata,
    Column("account", String, primary_key=True),
    Column("technician_id", BigInteger, primary_key=True),
    Column("name", String, nullable=False),
    Column("email", String, nullable=False),
    Column("user_id", BigInteger, nullable=True),
    Column("verdict", String, nullable=False),
    Column("owner_email", String, nullable=False),
)

owner_matching = Table(
    "owner_matching",
    metadata,
    Column("account", String, primary_key=True),
    Column("decisions", String, nullable=False),
    Column("at", String, nullable=False),
)

batch_report = Table(
    "batch_report",
    metadata,
    Column("account", String, primary_key=True),
    Column("batch", String, primary_key=True),
    Column("stage", String, primary_key=True),
    Column("at", String, nullable=False),
    Column("run", String, nullable=False),
    Column("report", Text, nullable=False),
)

sign_off = Table(
    "sign_off",
    metadata,
    Column("account", String, primary_key=True),
    Column("stage", String, primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("at", String, nullable=False),
    Column("head", String, nullable=False),
)

approval = Table(
    "approval",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("account", String, nullable=False, index=True),
    Column("subject", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("name", String, nullable=False),
    Column("note", Text, nullable=False),
    Column("at", String, nullable=False),
    Column("head", String, nullable=False),
    Column("document", Text, nullable=False),
)

milestone = Table(
    "milestone",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("account", String, nullable=False, index=True),
    Column("name", String, nullable=False),
    Column("by", String, nullable=False),
    Column("at", String, nullable=False),
    Column("head", String, nullable=False),
    Column("details", Text, nullable=False),
)
