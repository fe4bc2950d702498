# fluentd's output `kinesis_lines`: a chunk of the buffer becomes one record of the stream, each click a line.
# The outputs of fluent-plugin-kinesis put each click as a record, or many in a protobuf.
# Reasons: docs/decisions/many-clicks-in-a-record.md.

require "fluent/plugin/kinesis"
require "securerandom"

module Fluent
  module Plugin
    class KinesisLinesOutput < KinesisOutput
      Fluent::Plugin.register_output("kinesis_lines", self)

      RequestType = :streams # of the client that KinesisOutput makes
      KEY_BYTES = 32
      MAX_CHUNK_BYTES = 1024 * 1024 - KEY_BYTES # a record has 1 MiB, with its key

      config_param :stream_name, :string

      def configure(conf)
        super
        return if @buffer.chunk_limit_size <= MAX_CHUNK_BYTES
        raise Fluent::ConfigError, "chunk_limit_size: a record takes at most #{MAX_CHUNK_BYTES} bytes"
      end

      # The buffer would drop a line longer than a chunk. Cut off, the application counts it as unparseable.
      def format(tag, time, record)
        line = @data_formatter.call(tag, time, record)
        limit = @buffer.chunk_limit_size
        line.bytesize > limit ? line.byteslice(0, limit - 1) + "\n" : line
      end

      def formatted_to_msgpack_binary?
        false
      end

      # A record that is refused, or of which the answer says nothing, raises: fluentd puts the chunk again.
      def write(chunk)
        key = SecureRandom.hex(KEY_BYTES / 2)
        answer = client.put_records(stream_name: @stream_name, records: [{ data: chunk.read, partition_key: key }])
        result = Array(answer.data && answer.data.records).first
        return if result && result.sequence_number
        raise "#{@stream_name} did not take a record: #{result ? result.error_code : "an empty answer"}"
      end
    end
  end
end
