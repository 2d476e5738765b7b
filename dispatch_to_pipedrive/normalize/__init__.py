"""Source frames become normalized frames: organizations, persons, deals, activities. Pure functions of values."""
