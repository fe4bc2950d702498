"""Types of resources that hold data, and what: the one list of the policy check and of `make review`.

Without the CDK, so that the review can read it in no time.
"""

HOLDS_DATA = {
    "AWS::Cognito::IdentityPool": "the identities of the mobile apps",
    "AWS::Cognito::UserPool": "the logins of readers",
    "AWS::DynamoDB::GlobalTable": "its items",
    "AWS::DynamoDB::Table": "its items",
    "AWS::EC2::Volume": "its blocks",
    "AWS::EFS::FileSystem": "its files",
    "AWS::Elasticsearch::Domain": "its documents",
    "AWS::KMS::Key": "the key to all that it encrypted",
    "AWS::Kinesis::Stream": "the clicks that are not read yet",
    "AWS::KinesisAnalyticsV2::Application": "the running counts and every snapshot of them",
    "AWS::OpenSearchService::Domain": "all counts",
    "AWS::RDS::DBCluster": "its tables",
    "AWS::RDS::DBInstance": "its tables",
    "AWS::Redshift::Cluster": "its tables",
    "AWS::S3::Bucket": "its objects",
    "AWS::SQS::Queue": "the messages that are not read yet",
    "AWS::SecretsManager::Secret": "its value",
}

BUILT_AGAIN = {"AWS::KinesisAnalyticsV2::Application": "a new application counts the stream again"}
"""Types whose data comes back by itself, and how: the review reports their loss, but one key may delete
them."""
