-- settle_delivery: how a claimed delivery went: `delivered`, `again` (in `wait_ms`) or `dead`. What somebody else has claimed meanwhile is his, but
-- what was delivered was delivered.
-- keys: meta webhooks deliveries delivery_times delivery_bodies dead_letters
-- args: customer id claim outcome wait_ms error
-- answers: settled {} | gone {}
-- uses: guard indexes deliveries
local packed = redis.call('HGET', delivery_bodies, args.id)
local record = packed and cmsgpack.unpack(packed)
if not record or (record.claim ~= args.claim and args.outcome ~= 'delivered') then
  return answer('gone')
end
if args.outcome == 'again' then
  record.claim, record.error = nil, args.error
  put_delivery(record, wall_ms + args.wait_ms)
else
  remove_delivery(record)
  if args.outcome == 'dead' then
    give_up(record, args.error)
  end
end
look_at_line(record.webhook)
return answer('settled')
