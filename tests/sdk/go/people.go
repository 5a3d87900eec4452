// What else the application has, apart from sessions, when PEOPLE=true: accounts with an e-mail and a password,
// required verification of the address, roles, metadata, lists of users; this SDK cannot link accounts.
// tests/sdk/driver/app.py names the routes.
package main

import (
	"net/http"
	"sync"

	"github.com/supertokens/supertokens-golang/ingredients/emaildelivery"
	"github.com/supertokens/supertokens-golang/recipe/emailpassword"
	"github.com/supertokens/supertokens-golang/recipe/emailpassword/epmodels"
	"github.com/supertokens/supertokens-golang/recipe/emailverification"
	"github.com/supertokens/supertokens-golang/recipe/emailverification/evmodels"
	"github.com/supertokens/supertokens-golang/recipe/session"
	"github.com/supertokens/supertokens-golang/recipe/session/claims"
	"github.com/supertokens/supertokens-golang/recipe/session/sessmodels"
	"github.com/supertokens/supertokens-golang/recipe/usermetadata"
	"github.com/supertokens/supertokens-golang/recipe/userroles"
	"github.com/supertokens/supertokens-golang/recipe/userroles/userrolesclaims"
	"github.com/supertokens/supertokens-golang/supertokens"
)

var mails struct {
	sync.Mutex
	sent []object
}

// keepMails sends nothing: mails that would be sent are kept and can be requested.
func keepMails() *emaildelivery.TypeInput {
	send := func(input emaildelivery.EmailType, _ supertokens.UserContext) error {
		mails.Lock()
		defer mails.Unlock()
		if mail := input.EmailVerification; mail != nil {
			mails.sent = append(mails.sent,
				object{"type": "EMAIL_VERIFICATION", "email": mail.User.Email, "link": mail.EmailVerifyLink})
		}
		if mail := input.PasswordReset; mail != nil {
			mails.sent = append(mails.sent,
				object{"type": "PASSWORD_RESET", "email": mail.User.Email, "link": mail.PasswordResetLink})
		}
		return nil
	}
	return &emaildelivery.TypeInput{Service: &emaildelivery.EmailDeliveryInterface{SendEmail: &send}}
}

func peopleRecipes() []supertokens.Recipe {
	return []supertokens.Recipe{
		emailpassword.Init(&epmodels.TypeInput{EmailDelivery: keepMails()}),
		emailverification.Init(evmodels.TypeInput{Mode: evmodels.ModeRequired, EmailDelivery: keepMails()}),
		userroles.Init(nil),
		usermetadata.Init(nil),
	}
}

// peopleRoutes are what a user does.
func peopleRoutes(routes *http.ServeMux) {
	admins := &sessmodels.VerifySessionOptions{
		OverrideGlobalClaimValidators: func(
			all []claims.SessionClaimValidator, _ sessmodels.SessionContainer, _ supertokens.UserContext,
		) ([]claims.SessionClaimValidator, error) {
			return append(all, userrolesclaims.UserRoleClaimValidators.Includes("admin", nil, nil)), nil
		},
	}
	routes.HandleFunc("GET /admin-only", session.VerifySession(admins, func(w http.ResponseWriter, r *http.Request) {
		answer(w, object{"userId": session.GetSessionFromRequestContext(r.Context()).GetUserID()})
	}))
	routes.HandleFunc("GET /metadata", verified(func(found sessmodels.SessionContainer, _ fields) (object, error) {
		data, err := usermetadata.GetUserMetadata(found.GetUserID())
		return object{"metadata": data}, err
	}))
	routes.HandleFunc("POST /metadata", verified(func(found sessmodels.SessionContainer, in fields) (object, error) {
		data, err := usermetadata.UpdateUserMetadata(found.GetUserID(), in.Update)
		return object{"metadata": data}, err
	}))
	routes.HandleFunc("POST /change-password", verified(changePassword))
}

func changePassword(found sessmodels.SessionContainer, in fields) (object, error) {
	userID, tenant := found.GetUserID(), found.GetTenantId()
	user, err := emailpassword.GetUserByID(userID)
	if err != nil {
		return nil, err
	}
	known, err := emailpassword.SignIn(tenant, user.Email, in.OldPassword)
	if err != nil {
		return nil, err
	}
	if known.OK == nil {
		return object{"status": "WRONG_CREDENTIALS_ERROR"}, nil
	}
	done, err := emailpassword.UpdateEmailOrPassword(userID, nil, &in.NewPassword, nil, &tenant)
	if err != nil {
		return nil, err
	}
	if done.PasswordPolicyViolatedError != nil {
		return object{"status": "PASSWORD_POLICY_VIOLATED_ERROR"}, nil
	}
	if done.OK == nil {
		return object{"status": "UNKNOWN_USER_ID_ERROR"}, nil
	}
	handles, err := session.GetAllSessionHandlesForUser(userID, nil)
	if err != nil {
		return nil, err
	}
	others := []string{}
	for _, handle := range handles {
		if handle != found.GetHandle() {
			others = append(others, handle)
		}
	}
	_, err = session.RevokeMultipleSessions(others)
	return object{"status": "OK"}, err
}

// peopleAdminRoutes are what the application's own code does, without a session.
func peopleAdminRoutes(routes *http.ServeMux) {
	routes.HandleFunc("POST /admin/mails", plain(func(in fields) (object, error) {
		mails.Lock()
		defer mails.Unlock()
		found := []object{}
		for _, mail := range mails.sent {
			if mail["email"] == in.Email {
				found = append(found, mail)
			}
		}
		return object{"mails": found}, nil
	}))
	routes.HandleFunc("POST /admin/role", plain(func(in fields) (object, error) {
		done, err := userroles.CreateNewRoleOrAddPermissions(in.Role, in.Permissions)
		if err != nil {
			return nil, err
		}
		return object{"createdNew": done.OK.CreatedNewRole}, nil
	}))
	routes.HandleFunc("POST /admin/role/give", plain(func(in fields) (object, error) {
		done, err := userroles.AddRoleToUser(in.tenant(), in.UserID, in.Role)
		if err != nil {
			return nil, err
		}
		if done.OK == nil {
			return object{"status": "UNKNOWN_ROLE_ERROR"}, nil
		}
		return object{"status": "OK", "hadIt": done.OK.DidUserAlreadyHaveRole}, nil
	}))
	routes.HandleFunc("POST /admin/role/list", plain(func(in fields) (object, error) {
		found, err := userroles.GetRolesForUser(in.tenant(), in.UserID)
		if err != nil {
			return nil, err
		}
		return object{"roles": list(found.OK.Roles)}, nil
	}))
	routes.HandleFunc("POST /admin/metadata", plain(func(in fields) (object, error) {
		data, err := usermetadata.GetUserMetadata(in.UserID)
		return object{"metadata": data}, err
	}))
	routes.HandleFunc("POST /admin/users", plain(listUsers))
	routes.HandleFunc("POST /admin/users/count", plain(func(fields) (object, error) {
		count, err := supertokens.GetUserCount(nil, nil)
		return object{"count": count}, err
	}))
	routes.HandleFunc("POST /admin/user", plain(func(in fields) (object, error) {
		return personByID(in.UserID)
	}))
	routes.HandleFunc("POST /admin/user/remove", plain(func(in fields) (object, error) {
		return object{"status": "OK"}, supertokens.DeleteUser(in.UserID)
	}))
	routes.HandleFunc("POST /admin/id/map", plain(mapID))
	routes.HandleFunc("POST /admin/id/find", plain(findID))
	routes.HandleFunc("POST /admin/id/note", plain(noteID))
	routes.HandleFunc("POST /admin/id/unmap", plain(unmapID))
}

func mapID(in fields) (object, error) {
	done, err := supertokens.CreateUserIdMapping(in.UserID, in.ExternalUserID, nil, in.Force)
	if err != nil {
		return nil, err
	}
	status := "OK"
	if done.UnknownSupertokensUserIdError != nil {
		status = "UNKNOWN_SUPERTOKENS_USER_ID_ERROR"
	}
	if done.UserIdMappingAlreadyExistsError != nil {
		status = "USER_ID_MAPPING_ALREADY_EXISTS_ERROR"
	}
	return object{"status": status}, nil
}

func findID(in fields) (object, error) {
	done, err := supertokens.GetUserIdMapping(in.UserID, in.Kind)
	if err != nil {
		return nil, err
	}
	if done.OK == nil {
		return object{"status": "UNKNOWN_MAPPING_ERROR", "internal": nil, "external": nil, "note": nil}, nil
	}
	found := done.OK
	return object{"status": "OK", "internal": found.SupertokensUserId, "external": found.ExternalUserId,
		"note": found.ExternalUserIdInfo}, nil
}

func noteID(in fields) (object, error) {
	done, err := supertokens.UpdateOrDeleteUserIdMappingInfo(in.UserID, nil, in.Note)
	if err != nil {
		return nil, err
	}
	if done.OK == nil {
		return object{"status": "UNKNOWN_MAPPING_ERROR"}, nil
	}
	return object{"status": "OK"}, nil
}

func unmapID(in fields) (object, error) {
	done, err := supertokens.DeleteUserIdMapping(in.UserID, nil, in.Force)
	if err != nil {
		return nil, err
	}
	return object{"existed": done.OK.DidMappingExist}, nil
}

func listUsers(in fields) (object, error) {
	page := supertokens.GetUsersOldestFirst
	if in.NewestFirst {
		page = supertokens.GetUsersNewestFirst
	}
	found, err := page(in.tenant(), in.PaginationToken, in.Limit, nil, in.Query)
	if err != nil {
		return nil, err
	}
	users := []object{}
	for _, user := range found.Users {
		users = append(users, object{"id": user.User["id"], "emails": []any{user.User["email"]}})
	}
	return object{"users": users, "next": found.NextPaginationToken}, nil
}
