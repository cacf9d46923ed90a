"""
The main job told as a story: the demo, the README and the end-to-end test.

Drives the REST API as members and patients would, with their own keys, and the chain as an auditor would.
"""

from cli.story.seeding import seed
from cli.story.story import STEPS, Step, Story

__all__ = ["STEPS", "Step", "Story", "seed"]
