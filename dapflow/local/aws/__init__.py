"""AWS on this machine: moto's server with durable storage in front of it.

moto keeps everything in memory. Here every request that changes something is written to disk before its client is
answered, and is made again, through the same AWS API, when the server starts. So a killed process loses nothing that
was acknowledged, and nothing here depends on how moto keeps its data.

Kept: S3 objects with their metadata and tags, everything about buckets, Glue, IAM, Secrets Manager, SSM, SNS. Not
kept: older versions of objects in versioned buckets, object ACLs, unfinished multipart uploads, other services.
"""
