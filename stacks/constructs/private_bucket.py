"""A bucket as all of ours are: private, encrypted, TLS only, kept with its data."""

from aws_cdk import Duration
from aws_cdk import aws_s3 as s3
from constructs import Construct

from names import REMAINING_DAYS_TAG, remaining_days_values
from stacks.constructs.acknowledge import acknowledge
from stacks.constructs.retention import Retention

ABANDONED_UPLOAD_DAYS = 7
REPLACED_OBJECT_DAYS = 30


class PrivateBucket(s3.Bucket):
    """expire_days: objects are deleted after it (None: kept); rewritten: an erasure rewrites
    objects, which must not outlive the former ones by more than a tenth of expire_days; versioned: an
    overwritten or deleted object can be had back for 30 days.

    Of two rules that fit an object S3 takes the shorter life
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-configuration-examples.html).
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bucket_name: str,
        retention: Retention,
        expire_days: int | None = None,
        rewritten: bool = False,
        versioned: bool = False,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            bucket_name=bucket_name,
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=versioned,
            removal_policy=retention.removal_policy,
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=Duration.days(expire_days) if expire_days else None,
                    abort_incomplete_multipart_upload_after=Duration.days(ABANDONED_UPLOAD_DAYS),
                    noncurrent_version_expiration=Duration.days(REPLACED_OBJECT_DAYS) if versioned else None,
                ),
                *(
                    s3.LifecycleRule(
                        tag_filters={REMAINING_DAYS_TAG: str(days)}, expiration=Duration.days(days)
                    )
                    for days in (remaining_days_values(expire_days) if rewritten and expire_days else ())
                ),
            ],
        )
        acknowledge(
            self,
            "S1",
            reason="Only roles of this system read and write the bucket. Who touched which object is a "
            "question for CloudTrail data events, which an account turns on for all its buckets, not for a "
            "second bucket of logs.",
        )
