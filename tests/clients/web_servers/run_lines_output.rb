# Runs `kinesis_lines` as fluentd does, for the scenarios in a JSON file; prints what came of each as JSON.

require "base64"
require "json"

require ARGV[0]

Chunk = Struct.new(:read)

def outcome(scenario)
  output = Fluent::Plugin.output("kinesis_lines").new
  output.configure(scenario)
  lines = scenario["clicks"].map { |click| output.format("click", 0, click) }
  errors = scenario["answers"].dup.map do
    output.write(Chunk.new(lines.join))
    nil
  rescue StandardError => e
    "#{e.class}: #{e.message}"
  end
  {
    lines: lines.map { |line| Base64.strict_encode64(line) },
    errors: errors,
    msgpack: output.formatted_to_msgpack_binary?,
    requests: output.client.requests.map do |request|
      { stream: request[:stream_name], records: request[:records].map { |record| { data: Base64.strict_encode64(record[:data]), key: record[:partition_key] } } }
    end
  }
rescue Fluent::ConfigError => e
  { refused: e.message }
end

puts JSON.generate(JSON.parse(File.read(ARGV[1])).transform_values { |scenario| outcome(scenario) })
