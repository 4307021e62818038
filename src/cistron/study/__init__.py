"""The cross: every embedding on every task, one protocol, one table."""

from cistron.study.plan import StudyPlan, read_plan
from cistron.study.run import StudyResult, add_to_study, run_study, stored_plan

__all__ = ["StudyPlan", "StudyResult", "add_to_study", "read_plan", "run_study", "stored_plan"]
