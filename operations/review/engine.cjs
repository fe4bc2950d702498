// Compares pairs of CloudFormation templates with the CDK's own engine, which knows of each property whether
// changing it replaces the resource. A line of JSON in, a line of JSON out:
//   in   {"<stack>": {"old": template, "new": template}}
//   out  {"<stack>": {"<logical id>": {"impact": "WILL_REPLACE", "properties": {"Name": "WILL_REPLACE"}}}}
"use strict";

const { createInterface } = require("node:readline");
const { fullDiff } = require("@aws-cdk/cloudformation-diff");

function compared(before, after) {
  const answers = {};
  fullDiff(before, after).resources.forEachDifference((logicalId, resource) => {
    const properties = {};
    for (const [name, property] of Object.entries(resource.propertyUpdates)) {
      properties[name] = property.changeImpact ?? null;
    }
    answers[logicalId] = { impact: resource.changeImpact, properties };
  });
  return answers;
}

// The engine throws at a policy that is none. Then each resource is compared alone, and that one is unknown.
function comparedOneByOne(before, after) {
  const answers = {};
  const only = (template, logicalId) => {
    const resource = (template.Resources ?? {})[logicalId];
    return { Resources: resource === undefined ? {} : { [logicalId]: resource } };
  };
  for (const logicalId of Object.keys({ ...before.Resources, ...after.Resources })) {
    try {
      Object.assign(answers, compared(only(before, logicalId), only(after, logicalId)));
    } catch {
      answers[logicalId] = { impact: "UNKNOWN", properties: {} };
    }
  }
  return answers;
}

function answered(question) {
  const changes = {};
  for (const [stack, pair] of Object.entries(question)) {
    try {
      changes[stack] = compared(pair.old, pair.new);
    } catch {
      changes[stack] = comparedOneByOne(pair.old, pair.new);
    }
  }
  return changes;
}

createInterface({ input: process.stdin }).on("line", (line) => {
  process.stdout.write(`${JSON.stringify(answered(JSON.parse(line)))}\n`);
});
