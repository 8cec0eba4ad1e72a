-- vacate: switch a resource off.
-- keys: meta resources audit
-- args: customer product domain resource audit
-- answers: vacated {} | unknown {} | stale {}
-- uses: guard audit
local field = args.product .. ' ' .. args.domain .. ' ' .. args.resource
if redis.call('HEXISTS', resources, field) == 0 then
  return answer('unknown')
elseif is_stale(audit) then
  return answer('stale')
end
redis.call('HDEL', resources, field)
note_change(audit)
return answer('vacated')
