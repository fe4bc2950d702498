# What the output `kinesis_lines` uses of fluentd 1.18 and fluent-plugin-kinesis 3.6.1, with a client that
# answers as a test says.

require "json"

module Fluent
  class ConfigError < StandardError; end

  module Plugin
    def self.register_output(name, plugin)
      (@outputs ||= {})[name] = plugin
    end

    def self.output(name)
      @outputs.fetch(name)
    end

    Buffer = Struct.new(:chunk_limit_size)
    Response = Struct.new(:data)
    Answer = Struct.new(:records)
    Result = Struct.new(:sequence_number, :error_code)

    # Its answers are used up one by one: "taken", a code of a refusal, "empty", "nothing", "error".
    class Client
      attr_reader :requests

      def initialize(answers)
        @answers = answers
        @requests = []
      end

      def put_records(request)
        @requests << request
        case answer = @answers.shift
        when "taken" then Response.new(Answer.new([Result.new("1", nil)]))
        when "empty" then Response.new(Answer.new(nil))
        when "nothing" then Response.new(nil)
        when "error" then raise IOError, "the connection was cut"
        else Response.new(Answer.new([Result.new(nil, answer)]))
        end
      end
    end

    class KinesisOutput
      attr_reader :client

      def self.config_param(name, type, **)
        (@params ||= {})[name] = type
      end

      def self.params
        @params
      end

      # `conf`: parameters as text. The real ones are parsed by their types; here :string and a buffer suffice.
      def configure(conf)
        raise ConfigError, "unknown type" unless self.class.params.values.all?(:string)
        self.class.params.each_key { |name| instance_variable_set("@#{name}", conf.fetch(name.to_s)) }
        @buffer = Buffer.new(conf.fetch("chunk_limit_size"))
        @client = Client.new(conf.fetch("answers"))
        @data_formatter = ->(_tag, _time, record) { (JSON.generate(record) + "\n").b }
      end

      def formatted_to_msgpack_binary?
        true
      end
    end
  end
end
