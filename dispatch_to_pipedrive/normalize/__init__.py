"""Source frames become normalized frames: organizations, persons, deals, activities, files, notes.

What belongs here: pure functions of values; the decisions about what a customer, a site, a job, a visit is for the
destination. What does not: files, databases, the vendors' clients, and how a field is worded (that is the map's).
"""

from dispatch_to_pipedrive.normalize.batch import Normalized, NormalizeOptions, normalize
from dispatch_to_pipedrive.normalize.schemas import SCHEMAS

__all__ = ["SCHEMAS", "NormalizeOptions", "Normalized", "normalize"]
