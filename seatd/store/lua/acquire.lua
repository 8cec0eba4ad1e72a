-- acquire: further products within a session, all or nothing. What it has already is not drawn again.
-- keys: meta nodes by_node deadlines orders tombs cooldowns licenses offers seats assignments sessions by_user
-- args: customer session fence need
-- answers: granted {fence seats} | denied {code product limit used retry_after_ms holders} | gone {reason}
-- uses: guard indexes orders sessions cooldowns licenses seats
local record = load(args.session)
if not record then
  return answer('gone', {reason = 'unknown'})
end
if record.fence ~= args.fence or record.state ~= 'attached' then
  return answer('gone', {reason = 'superseded'})
end
if recovering then
  return answer('denied', {code = 'recovering', retry_after_ms = recover_until_ms - now})
end
local cooling_ms = cooling_for(record.user, record.device)
if cooling_ms > 0 then
  return answer('denied', {code = 'cooldown', retry_after_ms = cooling_ms})
end
local chosen, denial = plan(record.seats, record.user, record.domain, args.need, {})
if not chosen then
  return answer('denied', denial)
end
take(chosen)
for _, seat in ipairs(chosen) do
  record.seats[#record.seats + 1] = seat
end
save(args.session, record)
return answer('granted', {fence = record.fence, seats = shown(record.seats)})
