"""What is missing or wrong with a machine and a project, and what to do about it. Nothing is changed."""

from dapflow.doctor.diagnosis import Diagnosis
from dapflow.doctor.machine import machine_diagnoses
from dapflow.doctor.state import project_diagnoses

__all__ = ["Diagnosis", "machine_diagnoses", "project_diagnoses"]
