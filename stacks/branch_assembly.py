"""The throw-away environment of a git branch, on the Airflow of its host or on one of its own."""

from __future__ import annotations

import datetime

import aws_cdk as cdk

from dapflow.branch import BranchNames, branch_slug
from dapflow.environment import Environment
from dapflow.platform import Platform, describe_branch
from stacks.assembly import Assembly
from stacks.branch_bundle import BranchBundle, BranchBundleProps
from stacks.branch_deployment import synthesizer
from stacks.bundle import Bundle, BundleProps
from stacks.lake_functions import emptied_with
from stacks.names import check_names
from stacks.orchestration import AIRFLOW_FILES
from stacks.service import RoleProps
from stacks.settings_model import BranchSettings
from stacks.settings_rules import tag_value


class BranchAssembly(Assembly):
    """A stack for each service and the bundle; with ``-c mwaa=dedicated`` a network, Airflow and roles too."""

    def build(self, branch: str) -> None:
        """Add the stacks of a git branch to the app. Raises DapflowError for what cannot be deployed."""
        settings = self._all.branches()
        names = BranchNames.of(branch_slug(branch))
        self._tags |= self._expiry(branch, settings.expires_days)
        self._stem = f"{self._names.branches}-{names.slug}"
        self._check(settings)
        host = self._describe(settings.host).environment
        platform = describe_branch(self._manifest, names, host, dedicated=self._request.dedicated)
        check_names(platform)
        airflow = self._dedicated(settings, names.slug) if self._request.dedicated else None
        bundle = self._bundle(names.slug, platform)
        for service in self._manifest.services.values():
            roles: dict[str, RoleProps] = {}
            if airflow is not None:
                secrets = f"{self._names.secrets}branches/{names.slug}/{service.name}/"
                keys = self._branch_keys()
                roles = {"": self._roles(service, platform, keys=keys, airflow=self._stem, secrets=secrets)}
            stack = self._service_stack(
                self._stem,
                f"{names.slug}: {service.title}",
                service,
                platform,
                keys=self._keys(),
                databases=tuple(database for database in platform.databases if database.service == service.name),
                roles=roles,
                airflow=self._stem if airflow is not None else None,
                watch=None,
                retain=False,
            )
            bundle.add_stack_dependency(stack)
            if airflow is not None:
                # A runner role trusts the role of the branch's own Airflow, which must be there to be trusted.
                stack.add_stack_dependency(airflow)

    def _synthesizer(self) -> cdk.IStackSynthesizer:
        # An Airflow of its own takes a network and roles, and so whoever may deploy the whole host.
        if self._request.dedicated:
            return super()._synthesizer()
        return synthesizer(self._names, self._settings.qualifier)

    def _check(self, settings: BranchSettings) -> None:
        if not self._request.dedicated:
            if self._settings.airflow is None and settings.orchestrator == "shared" and not self._all.embedded:
                raise self._all.mistake(
                    settings.host,
                    ("airflow",),
                    "is missing: the host of branches runs them",
                    'give the host an Airflow environment, let context.environments.branch.orchestrator be "runner", '
                    "or deploy with -c mwaa=dedicated",
                )
            return
        for name, environment in self._all.environments.items():
            if environment.live and environment.account == self._settings.account:
                raise self._all.mistake(
                    settings.host,
                    ("account",),
                    f"is that of {name}, which is live: -c mwaa=dedicated runs code that nobody has reviewed",
                    "give the host an account without live data, or deploy the branch on the host's Airflow",
                )

    def _expiry(self, branch: str, days: int) -> dict[str, str]:
        """Tags that tell people whose the stacks are, and until when; the host's reaper believes none of them."""
        expires = self._request.now + datetime.timedelta(days=days)
        return {
            "dapflow:kind": "branch",
            "dapflow:branch": tag_value(branch),
            "dapflow:commit": tag_value(self._request.commit or "unknown"),
            "dapflow:expires": expires.isoformat(timespec="seconds"),
        }

    def _bundle(self, slug: str, platform: Platform) -> cdk.Stack:
        stack = self._stack(f"{self._stem}-bundle", f"{slug}: what Airflow runs, and where the branch's data lies")
        if not self._request.dedicated:
            BranchBundle(
                stack,
                "bundle",
                BranchBundleProps(
                    root=self._root,
                    work=self._work / slug,
                    manifest=self._manifest,
                    environment=platform.environment,
                    host=self._names.function_arn("branch"),
                    bucket=self._names.bucket("branches"),
                ),
            )
            return stack
        self._own_bundle(stack, slug, platform.environment)
        return stack

    def _own_bundle(self, stack: cdk.Stack, slug: str, environment: Environment) -> None:
        """The bundle of an Airflow of its own, run time and all, and what empties the branch's data at the end."""
        names = self._names
        bundle = Bundle(
            stack,
            "bundle",
            BundleProps(
                root=self._root,
                work=self._work / slug,
                manifest=self._manifest,
                environment=environment,
                bucket=names.bucket("airflow"),
                # Not below the host's DAGs, or the host would run them too.
                prefix=f"{AIRFLOW_FILES}/{self._stem}/dags/",
                upload=names.function_arn("bundle"),
                pools=f"arn:aws:lambda:{names.region}:{names.account}:function:{self._stem}-pools",
                airflow=self._stem,
                remove=True,
                dedicated=True,
            ),
        )
        data = emptied_with(stack, "data", names.stem, names.bucket("branches"), f"{slug}/")
        # Made after it, and so gone before it: what Airflow no longer runs writes no more data.
        bundle.node.add_dependency(data)

    def _dedicated(self, settings: BranchSettings, slug: str) -> cdk.Stack:
        name = self._stem
        if settings.network is None or settings.airflow is None:
            missing = "network" if settings.network is None else "airflow"
            raise self._all.mistake(
                "branch", (missing,), "is missing: -c mwaa=dedicated needs both network and airflow"
            )
        network_stack = self._stack(f"{name}-network", "Network of a branch's own Airflow")
        network = self._network(network_stack, settings.network, settings.airflow, stem=name, retain=False)
        stack = self._stack(f"{name}-airflow", "A branch's own Airflow")
        self._orchestrate(
            stack,
            airflow=name,
            dags=f"{AIRFLOW_FILES}/{name}/dags",
            network=network,
            settings=settings.airflow,
            role_paths=(self._names.role_path("branch", slug),),
            retain=False,
        )
        return stack
