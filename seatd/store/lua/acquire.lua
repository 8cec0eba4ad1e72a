-- acquire: further products within a session, all or nothing. What it has already is not drawn again.
-- keys: meta nodes by_node deadlines orders tombs cooldowns licenses offers seats assignments sessions by_user queue pace
-- args: customer session fence need wait priority queue_limit ref
-- answers: granted {fence seats} | queued {product position ahead_ms} | denied {code product limit used retry_after_ms holders} | gone {reason}
-- uses: guard indexes orders sessions cooldowns licenses seats queue
local record = load(args.session)
if not record then
  return answer('gone', {reason = 'unknown'})
end
if record.fence ~= args.fence or record.state ~= 'attached' then
  return answer('gone', {reason = 'superseded'})
end
if recovering then
  return answer('denied', {code = 'recovering', retry_after_ms = math.min(recover_until_ms - now, 5000)})
end
local cooling_ms = cooling_for(record.user, record.device)
if cooling_ms > 0 then
  return answer('denied', {code = 'cooldown', retry_after_ms = cooling_ms})
end
if args.wait then
  unqueue(record)
end
promise_ahead(args.session, args.priority)
local chosen, denial = plan(record.seats, record.user, record.domain, args.need, {})
if not chosen and denial.code == 'no_seat' and args.wait then
  if queue_is_full() then
    denial = {code = 'queue_full', product = denial.product}
  else
    enqueue(args.session, record, denial)
    save(args.session, record)
    return answer('queued', place_of(args.session))
  end
end
if not chosen then
  save(args.session, record)
  denial.waiting = redis.call('ZCARD', queue)
  return answer('denied', denial)
end
take(chosen)
for _, seat in ipairs(chosen) do
  record.seats[#record.seats + 1] = seat
end
save(args.session, record)
return answer('granted', {fence = record.fence, seats = shown(record.seats)})
