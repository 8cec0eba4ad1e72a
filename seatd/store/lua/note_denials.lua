-- note_denials: what nodes have refused without asking (a token that does not allow the product, a store that was away), added up.
-- keys: meta customers former_customers seats events meters spread usage refused webhooks deliveries delivery_times delivery_bodies dead_letters
-- args: customer denials
-- answers: noted {}
-- uses: guard former indexes meters deliveries webhooks events
for _, denial in ipairs(is_former() and {} or args.denials) do
  note('denied', {
    code = denial.code, product = denial.product, domain = denial.domain, user = denial.user,
    times = denial.times > 1 and denial.times or nil,
  })
end
return answer('noted')
