"""What a case earns: the policy, the class of each case, its points, sanctions."""

from drgcore.cases.repeated import CaseWarning
from drgcore.points.bands import Bands
from drgcore.points.catalogue import PresetSummary, list_presets
from drgcore.points.check import PolicyReport, check_policy
from drgcore.points.coefficients import coefficients
from drgcore.points.compute import POINT_COLUMNS, compute_points
from drgcore.points.explain import explain_points, points_by_class
from drgcore.points.policy import Policy
from drgcore.points.policy_file import PRESETS
from drgcore.points.readmissions import find_readmissions
from drgcore.points.records import CLASSES
from drgcore.points.reviews import refuse_over_quota, review_report
from drgcore.points.sanctions import sanction_points
from drgcore.points.sentences import policy_sentences, unfinished_sentences
from drgcore.points.tables import GroupTable, group_table

__all__ = [
    "CLASSES",
    "POINT_COLUMNS",
    "PRESETS",
    "Bands",
    "CaseWarning",
    "GroupTable",
    "Policy",
    "PolicyReport",
    "PresetSummary",
    "check_policy",
    "coefficients",
    "compute_points",
    "explain_points",
    "find_readmissions",
    "group_table",
    "list_presets",
    "points_by_class",
    "policy_sentences",
    "refuse_over_quota",
    "review_report",
    "sanction_points",
    "unfinished_sentences",
]
