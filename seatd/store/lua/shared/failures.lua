-- failures: what is remembered of failed sign-ins: of a name or of where they came from: how many, the last one, until when
-- nobody may try, and `before_ms`: until when nobody might before that last one.
-- keys: attempts
local FORGET_MS = 60 * 60 * 1000

local function failures_of(field)
  local text = redis.call('HGET', attempts, field)
  return text and cjson.decode(text) or {count = 0, last_ms = 0, until_ms = 0}
end

local function keep_failures(field, record)
  redis.call('HSET', attempts, field, cjson.encode(record))
end

local function is_forgotten(record, at_ms)
  return at_ms - record.last_ms >= FORGET_MS and at_ms >= record.until_ms
end
