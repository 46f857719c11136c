"""The function behind ``Custom::DapflowPools``: Airflow's pools, through MWAA's own API."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from constructs import Construct

from stacks.function import FunctionProps, PlatformFunction
from stacks.policies import allow


@dataclass(frozen=True)
class PoolsProps:
    """Props of ``Pools``. ``airflow`` is the name of the MWAA environment."""

    airflow: str
    key_arn: str
    log_days: int


class Pools(Construct):
    """``<airflow>-pools`` makes the pools that a bundle's tasks run in."""

    def __init__(self, scope: Construct, construct_id: str, props: PoolsProps) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        roles = f"arn:aws:airflow:{stack.region}:{stack.account}:role/{props.airflow}"
        PlatformFunction(
            self,
            "pools",
            FunctionProps(
                name=f"{props.airflow}-pools",
                description="makes the pools of services in Airflow",
                handler="resources.pools_handler",
                # Pools are configuration, which Airflow's role Op may change and User may not.
                statements=(allow("Pools", ["airflow:InvokeRestApi"], [f"{roles}/Op"]),),
                key_arn=props.key_arn,
                log_days=props.log_days,
            ),
        )
