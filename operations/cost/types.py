"""Every resource type that a template may have: how it is priced, or why it costs nothing."""

from operations.cost import flows, supporting
from operations.cost.supporting import Pricing

PRICED: dict[str, Pricing] = {
    "AWS::CloudWatch::Alarm": supporting.alarm,
    "AWS::CloudWatch::CompositeAlarm": supporting.composite_alarm,
    "AWS::CloudWatch::Dashboard": supporting.dashboard,
    "AWS::Cognito::UserPool": supporting.user_pool,
    "AWS::DynamoDB::GlobalTable": supporting.table,
    "AWS::DynamoDB::Table": supporting.table,
    "AWS::KMS::Key": supporting.key,
    "AWS::Kinesis::Stream": flows.stream,
    "AWS::KinesisAnalyticsV2::Application": flows.application,
    "AWS::KinesisFirehose::DeliveryStream": flows.delivery_stream,
    "AWS::Lambda::Function": supporting.function,
    "AWS::Logs::LogGroup": supporting.log_group,
    "AWS::Logs::MetricFilter": supporting.metric_filter,
    "AWS::OpenSearchService::Domain": flows.domain,
    "AWS::S3::Bucket": supporting.bucket,
    "AWS::SNS::Topic": supporting.topic,
    "AWS::SQS::Queue": supporting.queue,
    "AWS::Scheduler::Schedule": supporting.schedule,
}

FREE = {
    "AWS::Athena::WorkGroup": "only what queries read is billed, USD 5 a TB: docs/start/queries.md",
    "AWS::CDK::Metadata": "describes the stack",
    "AWS::Cognito::IdentityPool": "identity pools cost nothing: https://aws.amazon.com/cognito/pricing/",
    "AWS::Cognito::IdentityPoolRoleAttachment": "part of the identity pool",
    "AWS::Cognito::UserPoolClient": "part of the user pool",
    "AWS::Events::Rule": "rules on events of AWS's own services cost nothing",
    "AWS::Glue::Database": "a million objects of the catalog are free: https://aws.amazon.com/glue/pricing/",
    "AWS::Glue::Table": "as its database; partition projection keeps no partitions in the catalog",
    "AWS::IAM::InstanceProfile": "IAM costs nothing",
    "AWS::IAM::ManagedPolicy": "IAM costs nothing",
    "AWS::IAM::OIDCProvider": "IAM costs nothing",
    "AWS::IAM::Policy": "IAM costs nothing",
    "AWS::IAM::Role": "IAM costs nothing",
    "AWS::KinesisAnalyticsV2::ApplicationCloudWatchLoggingOption": "its log group is billed",
    "AWS::Lambda::EventInvokeConfig": "part of the function",
    "AWS::Lambda::EventSourceMapping": "billed as invocations of its function",
    "AWS::Lambda::Permission": "part of the function",
    "AWS::Logs::LogStream": "billed with its log group",
    "AWS::S3::BucketPolicy": "part of the bucket",
    "AWS::SNS::Subscription": "billed as messages of its topic",
    "AWS::SNS::TopicPolicy": "part of the topic",
    "AWS::SQS::QueuePolicy": "part of the queue",
    "AWS::Scheduler::ScheduleGroup": "part of its schedules",
    "Custom::ApplicationPause": "billed as invocations of its function",
    "Custom::ApplicationLifecycle": "billed as invocations of its function",
    "Custom::SearchBootstrap": "billed as invocations of its function",
}
