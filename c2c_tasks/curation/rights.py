"""Whether a file, or a function of it, may be used: its licence, and those who opted out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from c2c_tasks.config import RightsOptions
from c2c_tasks.curation.licences import LicenceRefusal, Policy, licence_refusal
from c2c_tasks.curation.opt_outs import OptOuts

Refusal = LicenceRefusal | Literal["opted_out"]


@dataclass(frozen=True, slots=True)
class Rights:
    """The rules of a build, to be asked of source files and of rows of earlier builds alike."""

    licences: Policy
    opt_outs: OptOuts

    @classmethod
    def read(cls, options: RightsOptions) -> Rights:
        """Return the rules that the options name.

        Raises OptOutError where the opt-outs cannot be read, StoreError where their store does
        not answer.
        """
        return cls(options.licences, OptOuts.read(options.opt_outs))

    def refusal(
        self,
        *,
        repository: str,
        path: str,
        licence: str | None,
        source_sha256: str,
        function_id: str | None = None,
    ) -> Refusal | None:
        """Return why it may not be used, or None where it may. An opt-out is named first."""
        if self.opt_outs.covers(
            repository=repository, path=path, source_sha256=source_sha256, function_id=function_id
        ):
            return "opted_out"
        return licence_refusal(licence, self.licences)
