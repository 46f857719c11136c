"""An environment that lasts: prod, staging, local."""

from __future__ import annotations

import datetime

import aws_cdk as cdk

from dapflow.branch import SESSION_TAGS, BranchNames
from dapflow.errors import DapflowError
from dapflow.manifest import Manifest, Service
from dapflow.platform import Platform, Role, describe_branch
from dapflow.project.cron_lines import longest_pause
from stacks.access import Access, service_access
from stacks.assembly import Assembly
from stacks.branch_deployment import BranchDeployment, BranchDeploymentProps, deploy_role
from stacks.bundle import Bundle, BundleProps
from stacks.delivery import Delivery, DeliveryProps
from stacks.lake import Lake, LakeProps
from stacks.lake_functions import LakeFunctions, LakeFunctionsProps, emptied_with
from stacks.names import check_names
from stacks.observability import Observability, ObservabilityProps, metrics_namespace
from stacks.recipients import check_owners
from stacks.record_table import RunsTable
from stacks.service import RoleProps
from stacks.service_alerts import Watch
from stacks.services_there import check_services
from stacks.settings_model import BranchSettings

DAGS = "dags"


class EnvironmentAssembly(Assembly):
    """Lake, network, Airflow, alarms, a stack for each service, the bundle, and the roles of delivery."""

    def build(self) -> None:
        """Add the stacks to the app. Raises DapflowError for what cannot be deployed."""
        settings = self._settings
        self._retain = settings.live and not self._destroyable()
        # From when somebody said that data are here: a protected stack whose creation failed could not be made again.
        self._protect = self._retain and bool(settings.services)
        self._branch_days = self._all.branch.expires_days if self._all.branch else BranchSettings.expires_days
        self._hosts = self._all.branch is not None and self._all.branch.host == self._request.environment
        platform = self._describe(self._request.environment)
        # With which `dapflow branch run` builds branches; empty where Airflow does.
        self._run_role = platform.environment.branches.run_role if platform.environment.branches else ""
        check_names(platform)
        check_services(self._all, self._names, self._manifest, platform)
        if settings.airflow is not None:
            # Elsewhere nobody is told, and an owner may be any words.
            check_owners(self._manifest, self._root)
        last = self._lake(platform)
        branches = self._branches(last) if self._hosts and not self._all.embedded else None
        airflow = self._names.stem if settings.airflow is not None else None
        if airflow is not None:
            last = self._observe(platform, self._airflow(last))
        bundle = self._bundle(platform, airflow)
        bundle.add_stack_dependency(last)
        for service in self._manifest.services.values():
            stack = self._one_service(service, platform, airflow)
            stack.add_stack_dependency(last)
            if branches is not None:
                # A role for branches trusts the one that runs them, which must be there to be trusted.
                stack.add_stack_dependency(branches)
            # What runs a service comes after what the service runs with.
            bundle.add_stack_dependency(stack)
        self._deliver()

    def _destroyable(self) -> bool:
        """Destroying live data takes two keys: a setting in the file, and a flag on the command line."""
        asked = self._request.destroy == self._request.environment
        if asked and self._settings.live and not self._settings.allow_destroy:
            raise self._mistake(
                ("allow_destroy",),
                f"is not true, and {self._request.environment} is live",
                "both keys are needed: the setting, committed and reviewed, and the flag -c destroy",
                "destroy-refused",
            )
        return asked

    def _mistake(self, path: tuple[str, ...], message: str, hint: str, code: str = "settings") -> DapflowError:
        return self._all.mistake(self._request.environment, path, message, hint, code)

    def _lake(self, platform: Platform) -> cdk.Stack:
        settings, names = self._settings, self._names
        stack = self._stack(f"{names.stem}-lake", "Buckets and keys of the lake", protect=self._protect)
        lake = Lake(
            stack,
            "lake",
            LakeProps(
                stem=names.stem,
                buckets=platform.buckets,
                airflow_bucket=names.bucket("airflow"),
                access_logs_bucket=names.bucket("access-logs"),
                branch_bucket=names.bucket("branches") if self._hosts else None,
                adopted_buckets=settings.adopt.buckets,
                adopted_keys=settings.adopt.keys,
                retention=settings.retention,
                branch_days=self._branch_days,
                retain=self._retain,
            ),
        )
        LakeFunctions(
            stack,
            "functions",
            LakeFunctionsProps(
                stem=names.stem,
                airflow_bucket=names.bucket("airflow"),
                buckets=tuple(lake.created),
                key_arn=lake.keys["platform"],
                qualifier=settings.qualifier,
                log_days=settings.retention.logs_days,
                empties=not self._retain,
            ),
        )
        if platform.records is not None and platform.records.services:
            RunsTable(stack, "records", platform.records, retain=self._retain)
        if not self._retain:
            for bucket_name, bucket in lake.created.items():
                emptied = emptied_with(stack, f"emptied-{bucket.node.id}", names.stem, bucket_name)
                emptied.node.add_dependency(bucket, stack.node.find_child("functions"))
        return stack

    def _airflow(self, lake: cdk.Stack) -> cdk.Stack:
        settings, names = self._settings, self._names
        assert settings.network is not None and settings.airflow is not None  # noqa: S101 - read_settings has checked it
        network_stack = self._stack(f"{names.stem}-network", "Network of Airflow", protect=self._protect)
        network_stack.add_stack_dependency(lake)
        network = self._network(network_stack, settings.network, settings.airflow, stem=names.stem, retain=self._retain)
        stack = self._stack(f"{names.stem}-airflow", "Airflow", protect=self._protect)
        stack.add_stack_dependency(lake)
        self._orchestrate(
            stack,
            airflow=names.stem,
            dags=DAGS,
            network=network,
            settings=settings.airflow,
            role_paths=tuple(
                names.role_path(kind)
                for kind in ("runner", *(["branch"] if self._hosts and not self._run_role else []))
            ),
            retain=self._retain,
        )
        return stack

    def _observe(self, platform: Platform, airflow_stack: cdk.Stack) -> cdk.Stack:
        names = self._names
        stack = self._stack(f"{names.stem}-observability", "Alarms, dashboard and the look at the products")
        stack.add_stack_dependency(airflow_stack)
        Observability(
            stack,
            "observability",
            ObservabilityProps(
                stem=names.stem,
                airflow=names.stem,
                secrets=names.secrets,
                pauses=_pauses(self._manifest),
                settings=self._settings.alerts,
                bucket=names.bucket("airflow"),
                dags=f"{DAGS}/",
                key_arn=self._keys()["platform"],
                workgroup_prefix=names.stem,
                # By pattern: the names of a hundred services' databases would not fit into a role's policies.
                databases=tuple(
                    sorted({database.name.replace(database.service, "*", 1) for database in platform.databases})
                ),
                branch_stacks=f"{names.branches}-" if self._hosts else None,
                branch_days=self._branch_days,
                log_days=self._settings.retention.logs_days,
                retain=self._retain,
            ),
        )
        return stack

    def _one_service(self, service: Service, platform: Platform, airflow: str | None) -> cdk.Stack:
        settings, names = self._settings, self._names
        watch = Watch(
            emails=settings.alerts.emails,
            monthly_usd=settings.budget.services.get(service.name, settings.budget.monthly_usd),
            scanned_gb_per_day=settings.budget.scanned_gb_per_day,
            metrics=metrics_namespace(names.stem),
            chat=names.function_arn("chat") if settings.alerts.chat else None,
        )
        own = tuple(database for database in platform.databases if database.service == service.name)
        secrets = f"{names.secrets}services/{service.name}/"
        roles = {"": self._roles(service, platform, keys=self._service_keys(), airflow=airflow, secrets=secrets)}
        if self._hosts:
            roles["branch-"] = self._branch_roles(service, platform, airflow)
        stack = self._service_stack(
            names.stem,
            f"Service {service.title}",
            service,
            platform,
            keys=self._keys(),
            databases=tuple(database for database in own if database.name not in settings.adopt.databases),
            roles=roles,
            airflow=airflow,
            watch=watch if airflow else None,
            retain=self._retain,
            protect=self._retain and service.name in settings.services,
        )
        if settings.live and service.name not in settings.services:
            cdk.Annotations.of(stack).add_warning_v2(
                "dapflow:services",
                f"context.environments.{names.environment}.services does not name {service.name}: "
                "its stack is not protected, and if its folder disappeared while its data are there, nothing would be "
                "said. Name it once it is deployed",
            )
        return stack

    def _branch_roles(self, service: Service, platform: Platform, airflow: str | None) -> RoleProps:
        """The runner role of a service on all branches, and a policy with which its analysts see what comes of them.

        A branch makes no roles: it would choose whom they trust. So this one is made where grants are reviewed, and
        what it may touch follows from the tags of the session, which the host's function chose.
        """
        names, host = self._names, platform.environment

        def access(of: BranchNames) -> Access:
            branch = describe_branch(self._manifest, of, host)
            return service_access(
                self._manifest, service, branch, secrets=f"{names.secrets}branches/{of.slug}/{service.name}/"
            )

        arn = describe_branch(self._manifest, BranchNames("*", "*"), host).environment.services[service.name].role_arn
        return RoleProps(
            access=access(BranchNames(*(f"${{aws:PrincipalTag/{tag}}}" for tag in SESSION_TAGS))),
            role=Role(arn.rsplit("/", 1)[1], arn, service.name, names.role_path("branch")),
            keys=self._branch_keys(),
            principal=self._run_role or self._principal(airflow),
            analyst_policy=f"{names.branches}-{service.name}-analyst",
            analyst_access=access(BranchNames("*", "*")),
            airflow=airflow,
            tags=SESSION_TAGS,
        )

    def _branches(self, after: cdk.Stack) -> cdk.Stack:
        """What deploys branches here."""
        names = self._names
        stack = self._stack(f"{names.stem}-branches", "What deploys environments of branches")
        stack.add_stack_dependency(after)
        BranchDeployment(
            stack,
            "branches",
            BranchDeploymentProps(
                names=names,
                dags=DAGS,
                qualifier=self._settings.qualifier,
                platform_key=self._keys()["platform"],
                data_key=self._keys()["athena-results"],
                log_days=self._settings.retention.logs_days,
                runner=bool(self._run_role),
            ),
        )
        return stack

    def _bundle(self, platform: Platform, airflow: str | None) -> cdk.Stack:
        names = self._names
        stack = self._stack(f"{names.stem}-bundle", "What Airflow runs: the one stack that a commit of SQL changes")
        Bundle(
            stack,
            "bundle",
            BundleProps(
                root=self._root,
                work=self._work / self._request.environment,
                manifest=self._manifest,
                environment=platform.environment,
                bucket=names.bucket("airflow"),
                prefix=f"{DAGS}/",
                upload=names.function_arn("bundle"),
                pools=names.function_arn("pools") if airflow else None,
                airflow=airflow,
                remove=not self._retain,
            ),
        )
        return stack

    def _deliver(self) -> None:
        delivery, repository = self._settings.delivery, self._all.platform.repository
        if delivery is None or repository is None:
            return
        stack = self._stack(f"{self._names.stem}-delivery", "Roles of GitHub Actions", protect=self._protect)
        Delivery(
            stack,
            "delivery",
            DeliveryProps(
                stem=self._names.stem,
                environment=self._request.environment,
                repository=repository,
                main_branch=delivery.main_branch,
                subject_has_ref=delivery.subject_has_ref,
                create_provider=delivery.provider == "create",
                qualifier=self._settings.qualifier,
                branches=tuple(filter(None, (deploy_role(self._names), self._run_role))) if self._hosts else (),
            ),
        )


def _pauses(manifest: Manifest) -> dict[str, float]:
    """Of cron lines that leave out days: how many hours more than one day they pause at most."""
    day = datetime.timedelta(days=1)
    pauses = {line: longest_pause(line) - day for service in manifest.services.values() if (line := service.schedule)}
    return {line: pause / datetime.timedelta(hours=1) for line, pause in pauses.items() if pause > datetime.timedelta()}
