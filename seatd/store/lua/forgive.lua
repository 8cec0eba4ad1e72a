-- forgive: the last attempt to sign in under this name and from this place has not failed. What others have failed with stays counted, and so
-- does what the same place has failed with before: an own account gives nobody further guesses at another's.
-- keys: attempts
-- args: who origin
-- answers: forgiven {}
-- uses: view failures
for _, field in ipairs({'name:' .. args.who, 'from:' .. args.origin}) do
  local record = failures_of(field)
  record.count = record.count - 1
  if record.count > 0 then
    record.until_ms = record.before_ms or 0
    keep_failures(field, record)
  else
    redis.call('HDEL', attempts, field)
  end
end
return answer('forgiven')
