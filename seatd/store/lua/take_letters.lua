-- take_letters: takes dead letters out of the list; `again`: they are to be sent once more, from the first try on.
-- keys: meta webhooks deliveries delivery_times delivery_bodies dead_letters audit
-- args: customer letters again audit
-- answers: taken {number} | stale {}
-- uses: guard indexes deliveries audit
if is_stale(audit) then
  return answer('stale')
end
local number = 0
for _, letter in ipairs(args.letters) do
  local found = redis.call('XRANGE', dead_letters, letter, letter)[1]
  if found then
    redis.call('XDEL', dead_letters, letter)
    number = number + 1
    if args.again then
      local record = cmsgpack.unpack(found[2][2])
      record.tries, record.error = 0, nil
      put_delivery(record, wall_ms)
      look_at_line(record.webhook)
    end
  end
end
if number > 0 then
  note_change(audit)
end
return answer('taken', {number = number})
