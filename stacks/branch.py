"""The throw-away environment of a git branch, on the Airflow of its host or on one of its own."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

import aws_cdk as cdk

from dapflow.platform import Platform, branch_slug, describe_branch
from stacks.assembly import Assembly, key_of
from stacks.bundle import Bundle, BundleProps
from stacks.environment import DAGS
from stacks.lake_functions import emptied_with
from stacks.names import check_names
from stacks.orchestration import AIRFLOW_FILES
from stacks.settings import BranchSettings
from stacks.settings_rules import tag_value


class BranchAssembly(Assembly):
    """A stack for each service and the bundle; with ``-c mwaa=dedicated`` a network and Airflow too."""

    def build(self, branch: str) -> None:
        """Add the stacks of a git branch to the app. Raises DapflowError for what cannot be deployed."""
        settings = self._all.branches()
        slug = branch_slug(branch)
        self._tags |= self._expiry(branch, settings.expires_days)
        name = f"{self._names.platform}-branch-{slug}"
        platform = self._branch_platform(branch, settings)
        airflow: str | None = self._names.stem
        prefix = f"{DAGS}/branches/{slug}/"
        after: cdk.Stack | None = None
        if self._request.dedicated:
            # Not below the host's DAGs, or the host would run them too.
            airflow, prefix = name, f"{AIRFLOW_FILES}/{name}/dags/"
            after = self._dedicated(settings, name, slug, prefix.rstrip("/"))
        elif self._all.embedded:
            airflow = None
        elif self._settings.airflow is None:
            raise self._all.mistake(
                settings.host,
                ("airflow",),
                "is missing: the host of branches runs them",
                "give the host an Airflow environment, or deploy with -c mwaa=dedicated",
            )
        keys = self._branch_keys(settings)
        bundle = self._bundle(name, slug, platform, airflow, prefix)
        for service in self._manifest.services.values():
            stack = self._service_stack(
                name,
                f"{slug}: {service.title}",
                service,
                platform,
                keys=keys,
                databases=tuple(each for each in platform.databases if each.service == service.name),
                airflow=airflow,
                watch=None,
                retain=False,
                secrets=f"{self._names.secrets}branches/{slug}/{service.name}/",
            )
            _delete_in_step(stack, 2)
            bundle.add_stack_dependency(stack)
            if after is not None:
                # A runner role trusts the role of the branch's own Airflow, which must be there to be trusted.
                stack.add_stack_dependency(after)

    def _expiry(self, branch: str, days: int) -> dict[str, str]:
        """Tags by which the host's reaper knows the stacks, and people whose they are."""
        expires = self._request.now + datetime.timedelta(days=days)
        return {
            "dapflow:kind": "branch",
            "dapflow:branch": tag_value(branch),
            "dapflow:commit": tag_value(self._request.commit or "unknown"),
            "dapflow:expires": expires.isoformat(timespec="seconds"),
        }

    def _branch_platform(self, branch: str, settings: BranchSettings) -> Platform:
        platform = describe_branch(
            self._manifest,
            branch=branch,
            host=self._describe(settings.host).environment,
            raw=self._describe(settings.raw_from).environment,
            bucket=self._names.bucket("branches"),
            prefix=self._names.platform,
        )
        check_names(platform)
        return platform

    def _branch_keys(self, settings: BranchSettings) -> Mapping[str, str]:
        raw = self._names_of(settings.raw_from)
        return {
            **self._keys(),
            **{zone: key_of(raw, zone) for zone in ("landing", "raw")},
            # Refined and trusted data of a branch lie in one bucket, which the results' key encrypts.
            **dict.fromkeys(("refined", "trusted"), key_of(self._names, "athena-results")),
        }

    def _bundle(self, name: str, slug: str, platform: Platform, airflow: str | None, prefix: str) -> cdk.Stack:
        names = self._names
        stack = self._stack(f"{name}-bundle", f"{slug}: what Airflow runs, and where the branch's data lies")
        bundle = Bundle(
            stack,
            "bundle",
            BundleProps(
                root=self._root,
                work=self._work / slug,
                manifest=self._manifest,
                environment=platform.environment,
                bucket=names.bucket("airflow"),
                prefix=prefix,
                upload=names.function_arn("bundle"),
                pools=f"arn:aws:lambda:{names.region}:{names.account}:function:{airflow}-pools" if airflow else None,
                airflow=airflow,
                remove=True,
            ),
        )
        data = emptied_with(stack, "data", names.stem, names.bucket("branches"), f"{slug}/")
        # Made after it, and so gone before it: what Airflow no longer runs writes no more data.
        bundle.node.add_dependency(data)
        _delete_in_step(stack, 1)
        return stack

    def _dedicated(self, settings: BranchSettings, name: str, slug: str, dags: str) -> cdk.Stack:
        if settings.network is None or settings.airflow is None:
            missing = "network" if settings.network is None else "airflow"
            raise self._all.mistake(
                "branch", (missing,), "is missing: -c mwaa=dedicated needs both network and airflow"
            )
        network_stack = self._stack(f"{name}-network", "Network of a branch's own Airflow")
        _delete_in_step(network_stack, 4)
        network = self._network(network_stack, settings.network, stem=name, retain=False)
        stack = self._stack(f"{name}-airflow", "A branch's own Airflow")
        _delete_in_step(stack, 3)
        self._orchestrate(
            stack,
            airflow=name,
            dags=dags,
            network=network,
            settings=settings.airflow,
            role_paths=(self._names.role_path("branch", slug),),
            retain=False,
        )
        return stack


def _delete_in_step(stack: cdk.Stack, step: int) -> None:
    """When the reaper takes a stack: after those with a smaller number are gone."""
    cdk.Tags.of(stack).add("dapflow:teardown", str(step))
