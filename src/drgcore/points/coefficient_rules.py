"""The hospital's coefficient (机构系数): its components, what stands in for them, its limits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from drgcore.language import _
from drgcore.points.parameters import (
    Factor,
    Groups,
    Model,
    Share,
    ask,
    parameter,
    sums_to_one,
)


class Fallback(Model):
    """What stands in for a coefficient that a component has not: another one, times a factor."""

    take: Literal["own_level", "next_higher_level", "next_lower_level", "constant"] = parameter(
        "which coefficient: that of the hospital's level or of the level next to it, in "
        "coefficients.level_order, or 1 (constant)",
        source="for example Zigong 2023: 90 % of the next higher level's, else 110 % of the next "
        "lower's",
    )
    of: str | None = parameter(
        "name of the component by level whose coefficient it is; none: the component itself",
        default=None,
    )
    factor: Factor = parameter("what the coefficient is multiplied by")


class _Component(Model):
    name: str = parameter("name of the component, for the explanation")
    weight: Share = parameter("weight of the component; all weights add up to 1")
    fallbacks: tuple[Fallback, ...] = parameter(
        "what stands in where the component has no coefficient, in order; the first that there is",
        default=(),
    )


class ConstantComponent(_Component):
    """The same for every hospital."""

    method: Literal["constant"] = parameter("how the component is found")
    value: Factor = parameter("the coefficient")


class LevelComponent(_Component):
    """A constant per hospital level."""

    method: Literal["level"] = parameter("how the component is found")
    levels: dict[str, Factor] = parameter("the coefficient of each hospital level", min_length=1)


class HospitalComponent(_Component):
    """A constant per hospital, for example case-mix, patient-burden or own history."""

    method: Literal["hospital"] = parameter("how the component is found")
    hospitals: dict[str, Factor] = parameter("the coefficient of each hospital", min_length=1)
    otherwise: Factor | None = parameter("the coefficient of others; none: error", default=None)


class HospitalGroupComponent(_Component):
    """A table by hospital and DRG: columns hospital, drg, coefficient."""

    method: Literal["hospital_drg"] = parameter("how the component is found")
    file: str = parameter("CSV or parquet beside the policy: hospital, drg, coefficient")
    otherwise: Factor | None = parameter(
        "the coefficient of other pairs; none: error", default=None
    )


class LevelCostComponent(_Component):
    """Mean cost of the level over the regional mean, per DRG.

    Columns level, drg, level_mean_cost, regional_mean_cost [yuan].
    """

    method: Literal["level_cost"] = parameter("how the component is found")
    file: str = parameter(
        "CSV or parquet beside the policy: level, drg, level_mean_cost, regional_mean_cost"
    )
    otherwise: Factor | None = parameter(
        "the coefficient of other pairs; none: error", default=None
    )


Component = Annotated[
    ConstantComponent
    | LevelComponent
    | HospitalComponent
    | HospitalGroupComponent
    | LevelCostComponent,
    Field(discriminator="method"),
]


class Coefficients(Model):
    """The hospital's coefficient k (机构系数), a weighted mix of components within limits."""

    components: tuple[Component, ...] = parameter("the components with their weights", min_length=1)
    minimum: Factor | None = parameter("least coefficient", default=None)
    maximum: Factor | None = parameter("greatest coefficient", default=None)
    same_price: Groups = parameter(
        "groups with k = 1 everywhere (基层病组、同城同病同价)", default=()
    )
    same_price_lists: tuple[str, ...] = parameter(
        "schemes whose list of basic groups (基层病组) has k = 1 everywhere, for example "
        "chs-drg-3.0 with its first 31",
        default=(),
    )
    level_order: tuple[str, ...] = parameter(
        "hospital levels from the lowest to the highest, for fallbacks", default=()
    )

    @model_validator(mode="after")
    def _check(self) -> Coefficients:
        sums_to_one([c.weight for c in self.components], _("weights of the components"))
        self._check_fallbacks()
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(_("minimum lies above maximum"))
        return self

    def _check_fallbacks(self) -> None:
        by_level = {c.name for c in self.components if c.method in ("level", "level_cost")}
        if len(set(self.level_order)) != len(self.level_order):
            raise ValueError(_("a level stands twice in level_order"))
        for part in self.components:
            for fallback in part.fallbacks:
                if fallback.take == "constant":
                    continue
                if fallback.take != "own_level" and not self.level_order:
                    raise ask(
                        "level_order",
                        _("a fallback of {name} names the next level", name=part.name),
                    )
                of = fallback.of or part.name
                if of not in by_level:
                    raise ValueError(
                        _(
                            "a fallback of {name} needs `of`, the name of a component by "
                            "level; {of} is none",
                            name=part.name,
                            of=of,
                        )
                    )
