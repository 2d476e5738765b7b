"""The evidence of a sign-off: a folder that tells what was done, and proves that nobody has changed it since."""
