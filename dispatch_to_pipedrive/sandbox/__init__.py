"""A Dispatch Pro tenant and a Pipedrive account on this machine, written from the vendors' documents."""
