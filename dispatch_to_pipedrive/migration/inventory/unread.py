"""Which objects of the vendor does no feed read, and why?

One row for each object of the vendor's documented interface that is no feed of ours: module, object, where it could be
read, reason. Nothing here is read while a migration runs.
"""

from typing import NamedTuple


class Unread(NamedTuple):
    """An object that stays in Dispatch Pro."""

    module: str
    what: str
    path: str
    why: str


_BOOKS = "Bookkeeping stays in the accounting system, which the migration does not touch."
_DOCUMENT = (
    "Pipedrive has no counterpart; keep them as documents, or in the source as long as it can be read."
)
_STOCK = "Stock and purchasing: Pipedrive has no counterpart."
_CATALOGUE = "Pipedrive's products would have to be made by hand; line items are not migrated."
_RECURRING = (
    "Pipedrive has no recurring service: keep them in the source, or sell them as recurring products."
)
_PAY = "Pay and working time of staff are private: they are not read."
_MARKETING = "Marketing data: Pipedrive's deals do not know campaigns."
_BEFORE = "Work that was never booked: what became a job moves as a deal."
_PROJECT = "A deal stands for each of a project's jobs and bears the project's number."
_SETTING = "A setting of Dispatch Pro; what a record holds of it moves with the record."
_REPORT = "Worked out from the records that move: Pipedrive has reports of its own."
_LOG = "A history of changes cannot be written to Pipedrive, which keeps its own."
_DOOR = "A door for other applications, or the same records once more."

UNREAD: tuple[Unread, ...] = (
    Unread(
        "accounting",
        "bills, credits and payments to suppliers",
        "/ap-bills, /ap-credits, /ap-payments",
        _BOOKS,
    ),
    Unread("accounting", "bank deposits", "/bank-deposits", _BOOKS),
    Unread("accounting", "credit memos as documents", "/credit-memos", _BOOKS),
    Unread(
        "accounting", "general ledger accounts and journal entries", "/gl-accounts, /journal-entries", _BOOKS
    ),
    Unread("accounting", "inventory bills", "/export/inventory-bills", _BOOKS),
    Unread("accounting", "line items of invoices", "/export/invoice-items", _CATALOGUE),
    Unread("accounting", "payment terms and types", "/payment-terms, /payment-types", _SETTING),
    Unread("accounting", "remittance vendors", "/remittance-vendors", _BOOKS),
    Unread("accounting", "tax zones", "/tax-zones", _BOOKS),
    Unread(
        "accounting", "custom fields of invoices and payments, defined", "/invoices/custom-fields", _SETTING
    ),
    Unread("crm", "bookings", "/export/bookings", _BEFORE),
    Unread("crm", "leads and their notes", "/export/leads, /leads/{id}/notes", _BEFORE),
    Unread("crm", "booking provider tags", "/booking-provider-tags", _SETTING),
    Unread(
        "crm", "contact preferences", "/contacts/preferences", "Consent is given to one sender: ask again."
    ),
    Unread("crm", "preferred technicians of locations", "/locations/{id}/preferredtechnician", _SETTING),
    Unread("customer interactions", "technician ratings", "/export/technician-ratings", _REPORT),
    Unread("dispatch", "non-job appointments (training, shop time)", "/non-job-appointments", _PAY),
    Unread("dispatch", "technician tracking", "/technician-tracking", _PAY),
    Unread("dispatch", "arrival window configuration", "/arrival-windows/configuration", _SETTING),
    Unread(
        "equipment systems",
        "installed equipment and its attachments",
        "/export/installed-equipment",
        _DOCUMENT,
    ),
    Unread("equipment systems", "equipment types", "/equipment-types", _DOCUMENT),
    Unread("findings", "findings and assets at locations", "/location-findings, /assets", _DOCUMENT),
    Unread("forms", "forms and their submissions", "/forms, /submissions", _DOCUMENT),
    Unread("inventory", "adjustments, receipts, returns, transfers", "/export/adjustments …", _STOCK),
    Unread("inventory", "purchase orders, their types and markups", "/export/purchase-orders …", _STOCK),
    Unread("inventory", "trucks, warehouses, vendors, templates", "/trucks, /warehouses, /vendors …", _STOCK),
    Unread("job booking", "call reasons", "/call-reasons", _SETTING),
    Unread("jobs", "job history", "/export/job-history", _LOG),
    Unread("jobs", "booked logs", "/jobs/{id}/booked-log", _LOG),
    Unread(
        "jobs",
        "projects, their types, statuses and notes",
        "/export/projects, /export/project-notes",
        _PROJECT,
    ),
    Unread("jobs", "work breakdown structure and budget codes", "/work-breakdown-structure", _PROJECT),
    Unread("marketing", "campaigns, categories and costs", "/campaigns, /categories, /costs", _MARKETING),
    Unread("marketing", "suppressed e-mail addresses", "/suppressions", _MARKETING),
    Unread("marketing", "advertising and attributed leads", "/attributed-leads, /performance", _MARKETING),
    Unread("marketing", "reviews", "/reviews", _MARKETING),
    Unread("memberships", "memberships, their types and changes", "/export/memberships …", _RECURRING),
    Unread("memberships", "recurring services and their events", "/export/recurring-services …", _RECURRING),
    Unread("memberships", "invoice templates", "/export/invoice-templates", _RECURRING),
    Unread("payroll", "gross pay, adjustments, payrolls, settings", "/export/gross-pay-items …", _PAY),
    Unread("payroll", "job splits", "/export/jobs/splits", _PAY),
    Unread("payroll", "timesheet and activity codes, other timesheets", "/export/timesheet-codes …", _PAY),
    Unread("payroll", "rates of locations", "/locations/rates", _PAY),
    Unread("pricebook", "services, materials, equipment, categories", "/export/services …", _CATALOGUE),
    Unread(
        "pricebook", "discounts, fees, client prices, markups, images", "/discounts-and-fees …", _CATALOGUE
    ),
    Unread("reporting", "reports and their data", "/report-categories …", _REPORT),
    Unread("sales", "estimates and their items", "/export/estimates", _DOCUMENT),
    Unread("sales", "opportunities and follow-ups", "/export/opportunities", _BEFORE),
    Unread("scheduling", "online schedulers, routers and their sessions", "/schedulers, /routers", _SETTING),
    Unread("service agreements", "service agreements", "/export/service-agreements", _RECURRING),
    Unread(
        "settings", "user roles", "/user-roles", "Rights are those of Dispatch Pro; Pipedrive has its own."
    ),
    Unread("task management", "tasks", "/tasks, /data", "Work of the office: make the open ones by hand."),
    Unread(
        "telecom", "recordings and voicemails", "/calls/{id}/recording", "They lie at the telephone provider."
    ),
    Unread(
        "telecom",
        "opt-outs from text messages",
        "/optinouts/optouts",
        "Consent is given to one sender: ask again.",
    ),
    Unread("timesheets", "activities, their types and categories", "/export/activities …", _PAY),
    Unread("webhooks", "subscriptions of other applications", "developer portal", _DOOR),
)
