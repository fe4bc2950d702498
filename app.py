"""Entry point of the CDK command line: `npx cdk synth -c environment=production`."""

import sys

from interruption import quiet_interruption

with quiet_interruption():
    from lambdas.forwarder.rules import RulesError
    from settings import SettingsError
    from stacks.app import build_app
    from stacks.constructs.lambda_package import PackageError

    try:
        build_app().synth()
    except (SettingsError, RulesError, PackageError) as error:
        sys.exit(str(error))
